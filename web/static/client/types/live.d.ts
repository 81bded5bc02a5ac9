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
export function broadcastOf(endpoint: string, name: string, signal?: AbortSignal): Promise<any | null>;
/** The answer of an endpoint to a viewer that comes while no publisher is live. */
export function notLive(): Problem;
import { Problem } from './problem.js';
