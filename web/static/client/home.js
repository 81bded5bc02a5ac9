/**
 * The server that this library came from, below whatever path a proxy has put it.
 * Weir's own pages load it from below a folder that names the version of all files.
 * Of a copy that lies elsewhere (in a bundle, say), the root of the page's server.
 */
const own = /\/static\/(h-[^/]*\/)?client\/[^/]*$/.exec(new URL(import.meta.url).pathname);

/** @type {URL} ends with a slash */
export const home = own ? new URL(own[1] ? '../../../' : '../../', import.meta.url) : new URL('/', location.href);

/**
 * @param {string} endpoint base URL of a server; '' is where this library came from
 * @param {string} path     with a slash in front, such as '/whip/'
 * @returns {URL}
 */
export function urlAt(endpoint, path) {
  const base = endpoint ? new URL(endpoint, location.href) : home;
  return new URL(base.pathname.replace(/\/$/, '') + path, base);
}
