/**
 * @param {string} endpoint base URL of a server; '' is where this library came from
 * @param {string} path     with a slash in front, such as '/whip/'
 * @returns {URL}
 */
export function urlAt(endpoint: string, path: string): URL;
/** @type {URL} ends with a slash */
export const home: URL;
