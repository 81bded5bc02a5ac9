import {el, icon, pageURL, setText, streamName, watchURL} from './dom.js';
import {bytes, clock, tracks, when} from './format.js';

/** What a state means, where the word alone leaves a question. */
const EXPLAINED = {
  interrupted: 'The server stopped before the broadcast ended. Everything up to then plays.',
  failed: 'The server could not write this recording to the end.',
};

/** Whether it still goes on. */
export const goesOn = ({state}) => state === 'recording' || state === 'paused';

/** Whether there is anything to play and download. */
export const playable = (recording) =>
  Boolean(recording.url) && !goesOn(recording) && recording.bytes > 0;

/** The same file, served as an attachment. */
export function downloadPath(recording) {
  const url = new URL(recording.url, location.href);
  url.searchParams.set('download', '1');
  return url.href;
}

/**
 * A row of a list of recordings. `play` is its main action: a link on the home
 * page, a button where the player opens in place.
 *
 * @param {any} recording
 * @param {Element} play
 */
export function createRow(recording, play) {
  play.classList.add('row-play', 'button', 'square');
  return el('li', {class: 'row', 'data-recording': recording.id},
    el('div', {class: 'row-line'},
      play,
      el('div', {class: 'row-what'},
        el('a', {class: 'row-name', href: pageURL(`recordings?${new URLSearchParams({stream: recording.stream})}`),
          title: 'All recordings of this stream'}, streamName(recording.stream)),
        el('time', {class: 'row-when', datetime: recording.started_at})),
      el('p', {class: 'row-figures figures'},
        figure('Duration', 'duration'), figure('Size', 'bytes'), figure('Resolution', 'size')),
      el('span', {class: 'row-state'}, el('span', {class: 'badge'})),
      el('span', {class: 'row-actions'},
        el('a', {class: 'button bare square', 'data-action': 'download', download: true},
          icon('download'), el('span', {class: 'sr-only'}, `Download the recording of ${recording.stream}`)),
        el('a', {class: 'button', 'data-action': 'watch', href: watchURL(recording.stream)}, 'Watch live'))),
    el('p', {class: 'row-note quiet', hidden: true}));
}

/** Brings a row up to date; a recording grows and changes its state. */
export function updateRow(row, recording) {
  const at = (selector) => row.querySelector(selector);
  const {state} = recording;
  const ready = playable(recording);
  setText(at('.row-when'), when(recording.started_at));
  setText(at('[data-figure="duration"]'), clock(recording.duration_ms || NaN));
  setText(at('[data-figure="bytes"]'), bytes(recording.bytes || NaN));
  setText(at('[data-figure="size"]'), tracks(recording.tracks).size);
  at('.badge').className = `badge ${state}`;
  at('.row-state').hidden = state === 'finished';
  setText(at('.badge'), state[0].toUpperCase() + state.slice(1));
  at('.row-play').toggleAttribute('data-off', !ready);
  if (at('.row-play').tagName === 'BUTTON') at('.row-play').disabled = !ready;
  const download = at('[data-action="download"]');
  download.hidden = !ready;
  if (ready) download.href = downloadPath(recording);
  at('[data-action="watch"]').hidden = !goesOn(recording);
  at('.row-note').hidden = !(state in EXPLAINED);
  setText(at('.row-note'), EXPLAINED[state] ?? '');
}

function figure(label, name) {
  return el('span', {}, el('span', {class: 'sr-only'}, `${label} `), el('span', {'data-figure': name}));
}
