import {Problem, request, statusOf} from '../client/problem.js';
import {urlAt} from '../client/home.js';

/** How long an answer may take before we say that there is none. */
const TIMEOUT_MS = 8000;

async function get(path) {
  const response = await request(urlAt('', path), {
    headers: {Accept: 'application/json'},
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  return response.json().catch((cause) => {
    throw new Problem({status: response.status, detail: 'The server gave an answer that cannot be read.', cause});
  });
}

/** @returns {Promise<any[]>} the streams that are live or starting */
export async function streams() {
  return ((await get('/api/v1/streams')).streams ?? []).map(withPoster);
}

/**
 * Asked for with a list, because browsers report a 404 in their console.
 *
 * @returns {Promise<any | null>} one stream; null when it is not live
 */
export async function stream(name) {
  const found = (await get(`/api/v1/streams?${new URLSearchParams({name})}`)).streams?.[0];
  return found ? withPoster(found) : null;
}

/** A stream with the URL of its picture that is right below any path. */
function withPoster(stream) {
  const version = stream.poster?.match(/\?.*$/)?.[0] ?? '';
  return {...stream, poster: stream.poster && urlAt('', '/streams/' + stream.name + '/poster.jpg' + version).href};
}

/** @returns {Promise<any[]>} the newest, newest first; of one stream if a name is given */
export async function recordings(name = '') {
  return (await recordingsPage(name, 100)).recordings;
}

/**
 * @param {string | Record<string, string>} which those of this stream, '' of all; or what the API takes:
 *   stream, prefix, search, quality, state, from, until
 * @param {number} limit how many at most, up to 1000
 * @returns {Promise<{recordings: any[], more: boolean}>} newest first, and whether there are older ones
 */
export async function recordingsPage(which, limit) {
  const query = new URLSearchParams({limit: String(limit)});
  for (const [key, value] of Object.entries(typeof which === 'string' ? {stream: which} : which)) if (value) query.set(key, value);
  const answer = await get(`/api/v1/recordings?${query}`);
  return {recordings: (answer.recordings ?? []).map(within), more: Boolean(answer.next)};
}

/** @returns {Promise<any | null>} one recording; null when there is none with that id */
export async function recording(id) {
  try {
    return within(await get(`/api/v1/recordings/${encodeURIComponent(id)}`));
  } catch (problem) {
    if (statusOf(problem) === 404) return null;
    throw problem;
  }
}

/** A recording with URLs that are right below any path, also where the server does not know of that. */
function within(recording) {
  const at = (path) => path && urlAt('', `/recordings/${path.split('/').at(-1)}`).href;
  return {...recording, url: at(recording.url), poster: at(recording.poster)};
}

/**
 * Deletes a recording. One that is not there any more is deleted as well.
 *
 * @param {string} id of a recording that has ended; its file is gone afterwards
 * @param {{keepalive?: boolean}} [how] keepalive: also if the page goes away meanwhile
 */
export async function deleteRecording(id, {keepalive = false} = {}) {
  try {
    await request(urlAt('', `/api/v1/recordings/${encodeURIComponent(id)}`), {method: 'DELETE', keepalive, signal: AbortSignal.timeout(TIMEOUT_MS)});
  } catch (problem) {
    if (statusOf(problem) !== 404) throw problem;
  }
}
