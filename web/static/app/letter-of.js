/**
 * The letter on a key, also where the layout has other letters than Latin ones: the key has
 * its place all the same.
 *
 * @param {KeyboardEvent} event
 */
export function letterOf({key, code}) {
  return /^\p{L}$/u.test(key) && !/^\p{Script=Latin}$/u.test(key) && /^Key[A-Z]$/.test(code) ? code.slice(3).toLowerCase() : key.toLowerCase();
}
