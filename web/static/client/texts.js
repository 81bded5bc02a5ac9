/**
 * What a publisher says of its broadcast to people: title and description, plain text in
 * any script.
 *
 * @typedef {object} Texts
 * @property {string} title       one line
 * @property {string} description may have line breaks
 */

export const KINDS = /** @type {const} */ (['title', 'description']);

/** How many characters (code points) each may have. */
export const MOST = {title: 120, description: 2000};
/** So much of a description gets into an address, in bytes: proxies take 8 kB of one at most. */
const ADDRESS_MOST = 4000;

/**
 * The texts without what is not to be seen and servers refuse: control characters, and
 * those that force a direction of writing.
 *
 * @param {Partial<Texts>} texts
 * @returns {Texts}
 */
export function plainTexts({title = '', description = ''}) {
  return {title: plain(title).replace(/\s*\n\s*/g, ' '), description: plain(description)};
}

function plain(/** @type {string} */ text) {
  const lines = text.replace(/\r\n?|[\u2028\u2029]/g, '\n');
  // Cs: half of a character, which no address and no UTF-8 can have.
  return lines.replace(/[^\P{Cc}\n]/gu, ' ').replace(/[\p{Cs}\u202a-\u202e\u2066-\u2069]/gu, '').trim();
}

/**
 * How many characters more a text may have: fewer than none is too long.
 *
 * @param {keyof Texts} kind
 * @param {string} text
 */
export const room = (kind, text) => MOST[kind] - [...text].length;

/**
 * Says in words what is wrong with a text.
 *
 * @param {keyof Texts} kind
 * @param {string} text
 * @returns {string} empty when it is good
 */
export function textProblem(kind, text) {
  const left = room(kind, text);
  return left < 0 ? `${MOST[kind] - left} characters: at most ${MOST[kind]} are allowed.` : '';
}

/**
 * @param {Partial<Texts>} given
 * @returns {Texts} plain
 * @throws {TypeError} when one is too long
 */
export function checkedTexts(given) {
  const texts = plainTexts(given);
  for (const kind of KINDS) {
    const wrong = textProblem(kind, texts[kind]);
    if (wrong) throw new TypeError(`${kind}: ${wrong}`);
  }
  return texts;
}

/**
 * Puts the texts into the address at which a broadcast begins.
 *
 * @param {URL} url
 * @param {Texts} texts
 * @returns {Texts} those that have found room
 */
export function sayIn(url, {title, description}) {
  const fits = encodeURIComponent(description).length <= ADDRESS_MOST;
  const said = {title, description: fits ? description : ''};
  for (const kind of KINDS) if (said[kind]) url.searchParams.set(kind, said[kind]);
  return said;
}
