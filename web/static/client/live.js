import {Problem, request} from './problem.js';
import {urlAt} from './home.js';

/**
 * What the server says of a broadcast. It is asked for with a list, because a
 * browser reports an answer that is not 2xx as an error in its console, and
 * that nobody broadcasts yet is none.
 *
 * @param {string} endpoint base URL of the server; '' is where this library came from
 * @param {string} name
 * @param {AbortSignal} [signal]
 * @returns {Promise<any | null>} null when nobody broadcasts under this name
 */
export async function broadcastOf(endpoint, name, signal) {
  const url = urlAt(endpoint, '/api/v1/streams');
  url.searchParams.set('name', name);
  const response = await request(url, {signal});
  const {streams} = await response.json();
  return streams?.[0] ?? null;
}

/** The answer of an endpoint to a viewer who comes while nobody broadcasts. */
export function notLive() {
  return new Problem({status: 409, title: 'Not live', detail: 'Nobody broadcasts under this name now.'});
}
