import {byId, setText} from './dom.js';
import {tracks} from './format.js';
import {showPlay} from './player-bar.js';
import {playerControls} from './player-controls.js';
import {seekTo} from './player-keys.js';
import {downloadPath} from './recording-row.js';
import {parseTime} from './start-at.js';
import {gapList, timeline} from './timeline.js';

const video = byId('player');

/** What stands where the picture would be. `links`: the ids of those that lead on from there. */
export function say(title, text, ...links) {
  setText(byId('veil-title'), title);
  setText(byId('veil-text'), text);
  for (const link of ['watch-live', 'veil-download', 'veil-list']) byId(link).hidden = !links.includes(link);
  byId('veil').hidden = false;
}

/**
 * Plays a recording that has ended, when its user wants to.
 *
 * @param {any} recording
 * @param {import('./gaps.js').Place[]} list its gaps
 */
export function play(recording, list) {
  const from = parseTime(new URLSearchParams(location.search).get('t'));
  video.addEventListener('error', () => cannotPlay(recording));
  video.addEventListener('loadedmetadata', () => {
    // Behind its end there is nothing: such a link begins at the start.
    if (from && from < video.duration) video.currentTime = from;
    byId('theatre').toggleAttribute('data-portrait', video.videoHeight > video.videoWidth);
  }, {once: true});
  if (recording.poster && !from) video.poster = recording.poster;
  video.src = recording.url;
  video.hidden = false;
  byId('veil').hidden = true;
  const hasPicture = recording.tracks?.some(({kind}) => kind === 'video');
  if (!hasPicture) {
    say('Sound only', 'This broadcast had no picture.');
    byId('veil').dataset.sound = '';
  }
  controls(!hasPicture);
  timeline(video, recording.duration_ms, list);
  gapList(video, list, recording.more_gaps ?? 0);
}

/** @param {boolean} soundOnly whether there is no picture to uncover: the bar stays */
function controls(soundOnly) {
  const toggle = () => {
    if (video.paused) video.play().catch(() => {}); // an error is told by its event
    else video.pause();
  };
  const show = () => {
    showPlay(video.paused);
    byId('start').hidden = !video.paused || video.currentTime > 0;
  };
  for (const event of ['play', 'pause', 'seeking']) video.addEventListener(event, show);
  byId('start').addEventListener('click', () => {
    toggle();
    byId('play').focus();
  });
  playerControls(video, byId('theatre'), {toggle, toEdge: () => seekTo(video, video.duration), busy: () => soundOnly || video.paused});
  for (const part of ['bar', 'keys-button']) byId(part).hidden = false;
  show();
}

/** The player knows only that it cannot: the file says why. */
async function cannotPlay(recording) {
  for (const id of ['player', 'bar', 'start', 'timeline', 'gaps', 'keys-button']) byId(id).hidden = true;
  delete byId('veil').dataset.sound;
  byId('veil-download').href = downloadPath(recording);
  const there = await fetch(recording.url, {method: 'HEAD'}).catch(() => null);
  if (there?.ok) {
    say('This browser cannot play it', `The recording is ${tracks(recording.tracks).codecs}. Another browser may play it, and other players do.`, 'veil-download');
  } else if (there?.status === 404) say('There is no such recording any more', 'It was deleted meanwhile.', 'veil-list');
  else say('The file cannot be read now', 'The server does not give it. Load the page again in a while.', 'veil-list');
}
