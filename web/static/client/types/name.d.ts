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
export function nameProblem(name: string): string;
/**
 * The URL of a resource that ends in a stream name.
 *
 * @param {string} endpoint base URL of the server; '' is where this library came from
 * @param {string} path     such as '/whip/'
 * @param {string} name
 * @returns {URL}
 */
export function urlOf(endpoint: string, path: string, name: string): URL;
