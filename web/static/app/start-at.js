/**
 * The time in a link: where a recording begins to play. It only computes.
 */

/**
 * @param {string | null} text "83", "83s", "1m23s", "1h2m3s", "1:23" or "1:02:03"
 * @returns {number | null} seconds; null when it tells none
 */
export function parseTime(text) {
  const given = (text ?? '').trim();
  const clock = /^(?:(\d{1,4}):)?(\d{1,4}):([0-5]?\d(?:\.\d+)?)$/.exec(given);
  const units = /^(?=.)(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,9}(?:\.\d+)?)s?)?$/i.exec(given);
  const found = clock ?? units;
  if (!found) return null;
  const [hours, minutes, seconds] = found.slice(1).map((part) => Number(part ?? 0));
  return hours * 3600 + minutes * 60 + seconds;
}

/**
 * @param {string} address of a page
 * @param {number} seconds whole ones count; 0: from the start
 * @returns {string} the same page, playing from then on
 */
export function linkAt(address, seconds) {
  const url = new URL(address);
  url.hash = '';
  url.searchParams.delete('t');
  if (seconds >= 1) url.searchParams.set('t', String(Math.floor(seconds)));
  return url.href;
}
