import {byId, el, pageURL} from './dom.js';
import {bitrate, bytes, clock, codec, count, NONE, size, when} from './format.js';
import {placesInWords, span} from './gaps.js';
import {qualityWords} from './quality-words.js';
import {goesOn} from './recording-row.js';

const SOURCES = {webrtc: 'WebRTC', websocket: 'WebSocket'};
const CHANNELS = {1: 'mono', 2: 'stereo'};
const number = new Intl.NumberFormat('en');

/** The exact time, for whoever points at the coarse one. */
export const exactly = (rfc3339) => new Date(rfc3339).toLocaleString(undefined, {dateStyle: 'full', timeStyle: 'long'});

/**
 * Shows what there is to know of a recording, as a table of names and values. What is not
 * known has no row.
 *
 * @param {any} recording
 * @param {import('./gaps.js').Place[]} list its gaps
 */
export function showFacts(recording, list) {
  const {tracks = [], gaps, more_gaps: more = 0, source, bytes: weight, bit_rate: rate, duration_ms: length, keyframes, frames} = recording;
  const open = goesOn(recording);
  const rows = [
    ['Recorded', el('time', {datetime: recording.started_at, title: exactly(recording.started_at)}, when(recording.started_at))],
    ['From', source && (SOURCES[source] ?? source)],
    ['Length', length > 0 && span(length)],
    ['Size', weight > 0 && `${bytes(weight)}${rate ? `, ${bitrate(rate)} on average` : ''}`],
    ...[...tracks].sort((a, b) => b.kind.localeCompare(a.kind)).map((track) => [KINDS[track.kind] ?? track.kind, ofTrack(track)]),
    ['Frames', frames > 0 && `${number.format(frames)}${keyframes > 0 ? `, ${number.format(keyframes)} of them keyframes` : ''}`],
    ['Gaps', gaps ? placesInWords(list, more) : !open && 'Not known'],
    ['State', state(recording)],
    ['File', file(recording.url)],
  ];
  byId('facts').replaceChildren(...rows.filter(([, value]) => value).map(([name, value]) =>
    el('div', {}, el('dt', {}, name), el('dd', {}, el('bdi', {}, value)))));
}

const KINDS = {video: 'Picture', audio: 'Sound'};

function ofTrack({codec: id, width, height, channels, bit_rate: rate, sizes = []}) {
  const parts = [codec(id), size(width, height), CHANNELS[channels] ?? (channels > 0 && `${channels} channels`), rate > 0 && bitrate(rate)];
  const said = parts.filter((part) => part && part !== NONE).join(', ');
  if (sizes.length === 0) return said;
  return `${said}; its size changes ${sizes.length === 1 ? 'once' : count(sizes.length, 'time')}`;
}

function file(url) {
  if (!url) return '';
  return url.endsWith('.mkv') ? 'Matroska (.mkv)' : 'WebM';
}

/** How good it is, in plain sentences. */
function state(recording) {
  const {state: stands, reason, stopped} = recording;
  const missing = qualityWords(recording).trim();
  switch (stands) {
    case 'recording': return 'It is being recorded now.';
    case 'paused': return 'The recording is paused. The broadcast goes on.';
    case 'interrupted': return ['The server stopped before the broadcast ended. The file was mended: everything up to then plays.', missing].join(' ').trim();
    case 'failed': return [`The server could not write it to the end${reason ? `: ${reason}` : ''}. Everything up to then plays.`, missing].join(' ').trim();
    default: return [missing || 'Finished.', stopped && 'The server was stopped while the broadcast went on.'].filter(Boolean).join(' ');
  }
}

/**
 * The recordings right before and after this one, of the same broadcast: across a restart
 * of the server, or where one file was ended and another begun.
 *
 * @param {any} recording
 * @param {any[]} others of its name
 * @param {boolean} all whether others has them all: what is not in it is gone
 */
export function showChain({previous, next}, others, all) {
  const known = (id) => id && (!all || others.some((other) => other.id === id));
  const link = (id, words) => {
    const other = others.find((one) => one.id === id);
    const length = other?.duration_ms > 0 ? `, ${clock(other.duration_ms)}` : '';
    return el('a', {href: pageURL(`recordings/${encodeURIComponent(id)}`)}, words, other && el('bdi', {}, ` (${when(other.started_at)}${length})`));
  };
  const lines = [
    known(previous) && el('p', {}, 'It goes on from ', link(previous, 'the recording before'), '.'),
    known(next) && el('p', {}, 'The broadcast goes on in ', link(next, 'the next recording'), '.'),
  ].filter(Boolean);
  byId('chain').replaceChildren(...lines);
  byId('chain').hidden = lines.length === 0;
}
