/**
 * Which recordings are looked for: what the page's address says, what its fields say,
 * and what the API is asked.
 *
 * @typedef {object} Wanted
 * @property {string} stream   of this name exactly
 * @property {string} prefix   of the names below this one
 * @property {string} search   with this in their title or name
 * @property {string} since    today, week, month
 * @property {string} quality  whole, gaps
 */
const KEYS = /** @type {const} */ (['stream', 'prefix', 'search', 'since', 'quality']);
const DAYS = {today: 0, week: 6, month: 29};
const VERDICTS = {whole: 'clean,repaired', gaps: 'gaps,poor'};

/**
 * @param {string} search of an address
 * @returns {Wanted}
 */
export function wantedBy(search) {
  const given = new URLSearchParams(search);
  const [stream, prefix, text, since, quality] = KEYS.map((key) => given.get(key) ?? '');
  return {stream, prefix: prefix.replace(/\/+$/, ''), search: text, since: Object.hasOwn(DAYS, since) ? since : '', quality: Object.hasOwn(VERDICTS, quality) ? quality : ''};
}

/** @param {Wanted} wanted @returns {string} the query of an address, with its mark; '' where all are wanted */
export function addressOf(wanted) {
  const query = new URLSearchParams(KEYS.filter((key) => wanted[key]).map((key) => [key, wanted[key]]));
  return query.size > 0 ? `?${query}` : '';
}

/** @param {Wanted} wanted @returns {string} what stands in the field */
export const textOf = ({stream, prefix, search}) => stream || (prefix && prefix + '/') || search;

/**
 * What the text of the field means: a known name is that stream, one with a slash at its
 * end all below it, and any other is looked for.
 *
 * @param {string} text
 * @param {(name: string) => boolean} known
 * @returns {{stream: string, prefix: string, search: string}}
 */
export function meantBy(text, known) {
  const trimmed = text.trim();
  const nothing = {stream: '', prefix: '', search: ''};
  if (known(trimmed)) return {...nothing, stream: trimmed};
  if (/^[\w.-]+(\/[\w.-]+)*\/+$/.test(trimmed)) return {...nothing, prefix: trimmed.replace(/\/+$/, '')};
  return {...nothing, search: trimmed};
}

/**
 * @param {Wanted} wanted
 * @returns {Record<string, string>} what the API is asked; days begin at midnight here
 */
export function askedOf({stream, prefix, search, since, quality}, now = new Date()) {
  const from = since && new Date(now.getFullYear(), now.getMonth(), now.getDate() - DAYS[since]).toISOString();
  return {stream, prefix, search, from, quality: VERDICTS[quality] ?? ''};
}

/** @param {Wanted} wanted @returns {string} " of acme/alice", " below acme/", " that match …"; '' where all are */
export function inWords({stream, prefix, search}) {
  if (stream) return ` of ${stream}`;
  if (prefix) return ` below ${prefix + '/'}`;
  return search && ` with “${search}”`;
}

/** The names of streams, and what they are below. */
export function suggestions(names) {
  const all = new Set(names);
  for (const name of names) {
    const parts = name.split('/');
    for (let n = 1; n < parts.length; n++) all.add(parts.slice(0, n).join('/') + '/');
  }
  return [...all].sort();
}
