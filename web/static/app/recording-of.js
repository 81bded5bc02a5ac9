import * as api from './api.js';
import {pageURL} from './dom.js';
import {pause} from '../client/wait.js';
import {playable} from './recording-row.js';

const LOOK_MS = 1000;
/** A file is closed within seconds of the end; after this the page waits no longer. */
const LOOKS = 30;
/** Without an id, a recording that ended longer ago belongs to an earlier broadcast. */
const RECENT_MS = 120000;

/**
 * The recording of a broadcast that has just ended, as soon as it can be
 * played.
 *
 * @param {string} name
 * @param {AbortSignal} signal
 * @param {string | undefined} id the recording the stream named while live;
 *   the newest of the stream when that is not known, if it ended just now
 * @returns {Promise<any | null>} null when there is none
 */
export async function recordingOf(name, signal, id) {
  for (let look = 0; look < LOOKS && !signal.aborted; look++) {
    const list = await api.recordings(name).catch(() => null);
    if (list) {
      const found = list.find((recording) => (id ? recording.id === id : recent(recording)));
      if (found && found.state !== 'recording') return playable(found) ? found : null;
      if (!found && look > 2) return null; // not recorded: switched off
    }
    await pause(LOOK_MS, signal);
  }
  return null;
}

const recent = (recording) => recording.state === 'recording' ||
  Date.now() - Date.parse(recording.ended_at) < RECENT_MS;

/** The id in the URL of a recording's file. */
export const recordingId = (url) => url.split('/').at(-1).replace(/\.\w+$/, '');

/** Where a recording opens. */
export function recordingPage(recording) {
  return pageURL(`recordings/${encodeURIComponent(recording.id)}`);
}
