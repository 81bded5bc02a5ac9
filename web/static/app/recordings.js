import * as api from './api.js';
import {byId, el, icon, reconcile, setIcon, setText} from './dom.js';
import {count} from './format.js';
import {createRow, playable, updateRow} from './recording-row.js';
import {details} from './recording-details.js';
import {poll} from './poll.js';

const LOOK_MS = 5000;
/** How many rows are added at a time, and the most that the API lists at once. */
const PAGE = 100;
const MOST = 1000;
const stream = new URLSearchParams(location.search).get('stream') ?? '';

/** The id in the address, until the row it names has been opened. */
let wanted = hashId();
/** @type {any[]} */
let shown = [];
let limit = PAGE;

function hashId() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return ''; // not percent-encoding: nothing of ours
  }
}

function createPlayable(recording) {
  const button = el('button', {type: 'button', 'data-action': 'play', 'aria-expanded': 'false'},
    icon('play'), el('span', {class: 'sr-only'}, `Play the recording of ${recording.stream}`));
  const row = createRow(recording, button);
  button.addEventListener('click', () => (player(row) ? close(row) : open(row)));
  return row;
}

const player = (row) => row.querySelector('.row-player');

function open(row) {
  const recording = shown.find((r) => r.id === row.dataset.recording);
  for (const other of document.querySelectorAll('.row:has(.row-player)')) close(other);
  const video = el('video', {id: `player-${recording.id}`, controls: true, preload: 'metadata',
    playsinline: true, src: recording.url, 'aria-label': `Recording of ${recording.stream}`});
  const box = el('div', {class: 'row-player'}, video);
  video.addEventListener('error', () => {
    box.append(el('p', {class: 'note', 'data-tone': 'bad', role: 'alert'},
      'This recording cannot be played here. Try to download it.'));
  }, {once: true});
  box.append(details(recording, () => {
    close(row);
    byId('stream').focus({preventScroll: true}); // what had the focus is gone
    void look();
  }));
  row.append(box);
  mark(row, true);
  history.replaceState(null, '', `#${encodeURIComponent(recording.id)}`);
  // Refused without a gesture (a link to #id): the controls are there.
  video.play().catch(() => {});
}

function close(row) {
  const video = player(row).querySelector('video');
  video.pause();
  video.removeAttribute('src'); // ends the download
  video.load();
  player(row).remove();
  mark(row, false);
  history.replaceState(null, '', location.pathname + location.search);
}

function mark(row, isOpen) {
  const button = row.querySelector('[data-action="play"]');
  button.setAttribute('aria-expanded', String(isOpen));
  setText(button.querySelector('.sr-only'), `${isOpen ? 'Close' : 'Play'} the recording`);
  setIcon(button, isOpen ? 'close' : 'play');
}

function openWanted() {
  const row = [...byId('recordings').children].find((r) => r.dataset.recording === wanted);
  const recording = shown.find((r) => r.id === wanted);
  if (!row || !playable(recording)) return;
  wanted = '';
  if (!player(row)) open(row);
  row.scrollIntoView({block: 'center'});
  row.querySelector('[data-action="play"]').focus({preventScroll: true});
}

function show(list, more) {
  shown = list;
  reconcile(byId('recordings'), list, {key: (r) => r.id, create: createPlayable, update: updateRow});
  byId('recordings').hidden = list.length === 0;
  byId('empty').hidden = list.length > 0;
  byId('more').hidden = !more || limit >= MOST;
  setText(byId('summary'), `${more ? 'The newest ' : ''}${count(list.length, 'recording')}${stream && ` of ${stream}`}`);
  suggest(list);
  if (wanted) openWanted();
}

/** Offers the names that are known; with a filter set there is only one. */
function suggest(list) {
  if (stream) return;
  const names = [...new Set(list.map((r) => r.stream))].sort();
  reconcile(byId('names'), names, {
    key: (name) => name,
    create: (name) => el('option', {value: name}),
    update: () => {},
  });
}

async function look() {
  try {
    const {recordings, more} = await api.recordingsPage(stream, limit);
    show(recordings, more);
    byId('trouble').hidden = true;
  } catch (problem) {
    setText(byId('trouble'), `${problem.message} Trying again…`);
    byId('trouble').hidden = false;
  }
}

byId('stream').value = stream;
byId('clear').hidden = stream === '';
if (stream) {
  setText(byId('empty-title'), 'Nothing recorded under this name');
  setText(byId('empty-text'), `There is no recording of ${stream}. Names must match exactly.`);
}
addEventListener('hashchange', () => {
  wanted = hashId();
  openWanted();
});
byId('more').addEventListener('click', () => {
  limit = Math.min(MOST, limit + PAGE);
  void look();
});
poll(LOOK_MS, look);
