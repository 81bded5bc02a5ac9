import {urlAt} from './home.js';

/**
 * Stream names: 1 to 4 segments of [A-Za-z0-9._-]{1,64} joined by '/', none
 * starting with a dot.
 */

/**
 * Says in words what is wrong with a name.
 *
 * @param {string} name
 * @returns {string} empty when the name is good
 */
export function nameProblem(name) {
  if (name === '') return 'Give the broadcast a name.';
  const segments = name.split('/');
  if (segments.some((segment) => segment === '')) {
    return 'A slash needs something on both sides.';
  }
  if (segments.length > 4) return 'At most four parts, separated by slashes.';
  for (const segment of segments) {
    if (/\s/.test(segment)) return 'Spaces are not allowed; use a hyphen.';
    const odd = segment.match(/[^A-Za-z0-9._-]/u);
    if (odd) return `“${odd[0]}” is not allowed; use letters, digits, . _ or -.`;
    if (segment.startsWith('.')) return 'No part may start with a dot.';
    if (segment.length > 64) return 'Each part may have at most 64 characters.';
  }
  return '';
}

/**
 * The URL of a resource that ends in a stream name.
 *
 * @param {string} endpoint base URL of the server; '' is where this library came from
 * @param {string} path     such as '/whip/'
 * @param {string} name
 * @returns {URL}
 */
export function urlOf(endpoint, path, name) {
  return urlAt(endpoint, path + name.split('/').map(encodeURIComponent).join('/'));
}
