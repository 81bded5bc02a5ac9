import * as api from './api.js';
import {byId, setText} from './dom.js';
import {bytes, clock, tracks, when} from './format.js';
import {goesOn, playable} from './recording-row.js';
import {home} from '../client/home.js';

const id = decodeURIComponent(location.pathname.slice(home.pathname.length + 'recordings/'.length));

/** What stands where the picture would be. */
function say(title, text) {
  setText(byId('veil-title'), title);
  setText(byId('veil-text'), text);
}

function show(recording) {
  setText(byId('name'), recording.stream);
  setText(byId('facts'), [when(recording.started_at), clock(recording.duration_ms), bytes(recording.bytes),
    tracks(recording.tracks).size].join(' · '));
  document.title = `${recording.stream}: weir`;
  if (!playable(recording)) {
    if (goesOn(recording)) say('Still being recorded', 'It can be watched here once the broadcast has ended.');
    else say('Nothing to play', 'The broadcast ended before there was a picture.');
    return;
  }
  const video = byId('player');
  video.src = recording.url;
  video.hidden = false;
  byId('veil').hidden = true;
}

try {
  const recording = await api.recording(id);
  if (recording) show(recording);
  else say('There is no such recording', 'It may have been deleted. Those that there are stand in the list.');
} catch (problem) {
  say('This recording cannot be read now', problem.message);
}
