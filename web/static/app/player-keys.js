import {byId} from './dom.js';
import {letterOf} from './letter-of.js';

/** The second click of a double click comes within this: until then a click does nothing. */
const DOUBLE_MS = 250;
const VOLUME_STEP = 0.05;
/** One picture, at the rate that most cameras have, in seconds. */
const PICTURE = 1 / 30;
/** Seconds that keys seek by. */
const SEEKS = {ArrowLeft: -5, ArrowRight: 5, j: -10, l: 10};
/** Seconds that a double tap at one side seeks by. */
const TAP_SEEK = 10;
/** The buttons that keys press; P and D are those of earlier versions. */
const BUTTONS = {k: 'play', m: 'mute', f: 'fullscreen', t: 'wide', i: 'pip', p: 'pip', s: 'details', d: 'details', '?': 'keys-button'};

/**
 * @typedef {object} Playing what is played, and how
 * @property {() => void} toggle plays or pauses
 * @property {() => void} toEdge goes to the live edge, or to the end
 */

/**
 * The keys that people know from other players. They work whenever no field has the
 * focus, and never together with Ctrl, Alt or Meta.
 *
 * @param {HTMLVideoElement} video
 * @param {Playing} playing
 */
export function playerKeys(video, playing) {
  document.addEventListener('keydown', (event) => onKey(event, video, playing));
}

/** What a slider does itself with keys. */
const OF_SLIDERS = /^(Arrow.*|Page.*|Home|End)$/;

function onKey(event, video, {toggle, toEdge}) {
  const {key, target} = event;
  if (event.ctrlKey || event.metaKey || event.altKey || event.getModifierState?.('AltGraph') || event.isComposing || document.querySelector('dialog[open]')) return;
  if (target.type === 'range') {
    if (OF_SLIDERS.test(key)) return;
  } else if (target.isContentEditable || /^(input|select|textarea)$/i.test(target.tagName)) return;
  const letter = letterOf(event);
  if (key === ' ') {
    if (target.closest('button, a, summary')) return; // which Space presses
    toggle();
  } else if (key === 'End') toEdge();
  else if (key === 'ArrowUp' || key === 'ArrowDown') louder(video, key === 'ArrowUp' ? VOLUME_STEP : -VOLUME_STEP);
  else if (BUTTONS[letter]) {
    const button = byId(BUTTONS[letter]);
    if (event.repeat || !button || button.hidden) return;
    button.click();
  } else if (!seek(key.length === 1 ? letter : key, video)) return;
  event.preventDefault();
}

/** In what has a length. @returns {boolean} whether the key seeks */
function seek(key, video) {
  const {duration, paused} = video;
  if (!hasLength(video)) return false;
  const by = SEEKS[key];
  let to = null;
  if (by) to = video.currentTime + by;
  else if (/^[0-9]$/.test(key)) to = (duration * Number(key)) / 10;
  else if (key === 'Home') to = 0;
  else if (paused && (key === ',' || key === '.')) to = video.currentTime + (key === ',' ? -PICTURE : PICTURE);
  if (to === null) return false;
  seekTo(video, to);
  return true;
}

/** Whether there is something to seek in: a file, not a broadcast. */
export const hasLength = ({duration, srcObject}) => !srcObject && Number.isFinite(duration) && duration > 0;

/** Goes to a time in seconds, or to the end that is nearer. */
export function seekTo(video, to) {
  if (hasLength(video)) video.currentTime = Math.min(Math.max(0, to), video.duration);
}

function louder(video, by) {
  video.volume = Math.min(1, Math.max(0, Math.round((video.volume + by) * 20) / 20));
  video.muted = video.volume === 0;
}

/**
 * A click plays or pauses, a double click goes full screen. A finger shows the bar, which
 * is not done here, and twice at one side of a file it seeks.
 *
 * @param {HTMLVideoElement} video
 * @param {Playing} playing
 */
export function playerClicks(video, {toggle}) {
  let timer = 0;
  let tapped = 0;
  let touched = false;
  video.addEventListener('click', (event) => {
    clearTimeout(timer);
    touched = event.pointerType === 'touch';
    if (touched) {
      if (event.timeStamp - tapped < DOUBLE_MS && hasLength(video)) seekTo(video, video.currentTime + sideOf(event, video) * TAP_SEEK);
      tapped = event.timeStamp;
    } else if (event.detail === 1) timer = setTimeout(toggle, DOUBLE_MS);
  });
  video.addEventListener('dblclick', (event) => {
    // Browsers call two taps that, too.
    if (touched && hasLength(video) && sideOf(event, video) !== 0) return;
    if (!byId('fullscreen').hidden) byId('fullscreen').click();
  });
}

/** @returns {number} -1 in the left third, 1 in the right one, 0 between them */
function sideOf({clientX}, video) {
  const {left, width} = video.getBoundingClientRect();
  return Math.floor(((clientX - left) / width) * 3) - 1;
}
