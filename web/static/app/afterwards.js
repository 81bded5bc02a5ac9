import {byId, setText} from './dom.js';
import * as format from './format.js';
import {downloadPath} from './recording-row.js';
import {recordingOf, recordingPage} from './recording-of.js';

/**
 * Tells what has become of a broadcast that is over: its recording, with the ways to
 * watch, take and share it, as soon as there is one.
 *
 * @param {object} broadcast
 * @param {string} broadcast.name
 * @param {string} broadcast.title  may be empty
 * @param {boolean} broadcast.record
 * @param {string | undefined} broadcast.recording its id, if the stream told it
 * @param {AbortSignal} signal the next broadcast begins
 */
export async function afterwards({name, title, record, recording}, signal) {
  setText(byId('after-title'), title || name);
  show(record ? 'Finishing the recording…' : 'This broadcast was not recorded.');
  if (!record) return;
  const found = await recordingOf(name, signal, recording);
  if (signal.aborted) return;
  if (found) offer(found, title || name, signal);
  else show('There is no recording of this broadcast.');
}

function show(text) {
  byId('after').hidden = false;
  setText(byId('after-text'), text);
  byId('after-ways').hidden = true;
}

function offer(found, title, signal) {
  const facts = [format.clock(found.duration_ms), format.tracks(found.tracks).size, format.bytes(found.bytes)];
  show(`Recorded: ${facts.filter((fact) => fact !== format.NONE).join(' · ')}`);
  byId('after-watch').href = recordingPage(found);
  byId('after-download').href = downloadPath(found);
  byId('after-share').addEventListener('click', async () => {
    const {share} = await import('./share.js');
    share(byId('after-share'), {url: recordingPage(found), title});
  }, {signal});
  byId('after-ways').hidden = false;
  byId('after').scrollIntoView({block: 'nearest'}); // on a phone it may be out of sight
}
