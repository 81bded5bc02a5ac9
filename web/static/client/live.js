import {Problem, request} from './problem.js';
import {urlAt} from './home.js';

/**
 * The server's description of a broadcast. It is asked for with a list, because a
 * browser reports an answer that is not 2xx as an error in its console, and
 * a stream that is not live yet is none.
 *
 * @param {string} endpoint base URL of the server; '' is where this library came from
 * @param {string} name
 * @param {AbortSignal} [signal]
 * @returns {Promise<any | null>} null when no publisher is live under this name
 */
export async function broadcastOf(endpoint, name, signal) {
  const url = urlAt(endpoint, '/api/v1/streams');
  url.searchParams.set('name', name);
  const response = await request(url, {signal});
  const {streams} = await response.json();
  return streams?.[0] ?? null;
}

/** The answer of an endpoint to a viewer that comes while no publisher is live. */
export function notLive() {
  return new Problem({status: 409, title: 'Not live', detail: 'No publisher is live under this name now.'});
}
