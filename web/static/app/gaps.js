import {count} from './format.js';

/**
 * The places of a recording where something is missing, as people speak of them. It only
 * computes.
 *
 * @typedef {object} Place
 * @property {number} at    ms from the start, of the last that there is before it
 * @property {number} end   ms from the start, of the first that there is after it
 * @property {string} reason 'paused' where nothing was wanted; '': it did not come
 * @property {Record<string, number>} lacks ms that are missing, by kind of media
 */

/** A thing that is missing in both kinds of media is one place to people. */
const KINDS = ['video', 'audio'];
/** What people call kinds of media. */
export const NAMES = {video: 'picture', audio: 'sound'};
/** What was too large for any file leaves a place without a length. */
const SINGLE = {video: 'a picture', audio: 'a piece of sound'};

/**
 * The places of a recording in the order of time. Gaps that overlap, or begin in the same
 * second, are one: a clock that shows seconds could not tell them apart.
 *
 * @param {any} recording
 * @returns {Place[]}
 */
export function places({gaps, tracks}) {
  const kinds = new Map((tracks ?? []).map(({id, kind}) => [id, kind]));
  const found = [];
  for (const {track, at_ms: at, duration_ms: length, reason = ''} of [...(gaps ?? [])].sort((a, b) => a.at_ms - b.at_ms)) {
    const kind = kinds.get(track) ?? track;
    const before = found.findLast((place) => place.reason === reason);
    if (before && (at < before.end || second(at) === second(before.at))) {
      before.end = Math.max(before.end, at + length);
      before.lacks[kind] = (before.lacks[kind] ?? 0) + length;
    } else found.push({at, end: at + length, reason, lacks: {[kind]: length}});
  }
  return found;
}

const second = (ms) => Math.floor(ms / 1000);

/** @param {Place} place @returns {string} "4 s of picture and sound missing", "Paused for 12 s" */
export function lacking({at, end, reason, lacks}) {
  if (reason === 'paused') return `Paused for ${span(end - at)}`;
  if (reason) return `Left out (${reason}), ${span(end - at)}`;
  const kinds = [...KINDS, ...Object.keys(lacks)].filter((kind, n, all) => kind in lacks && all.indexOf(kind) === n);
  const lengths = kinds.map((kind) => span(lacks[kind]));
  if (kinds.every((kind) => lacks[kind] > 0) && new Set(lengths).size === 1) {
    return sentence(`${lengths[0]} of ${kinds.map((kind) => NAMES[kind] ?? kind).join(' and ')} missing`);
  }
  const parts = kinds.map((kind, n) => (lacks[kind] > 0 ? `${lengths[n]} of ${NAMES[kind] ?? kind}` : SINGLE[kind] ?? `a part of ${kind}`));
  return sentence(`${parts.join(' and ')} missing`);
}

const sentence = (text) => text[0].toUpperCase() + text.slice(1);

/** How many places there are, in words; nothing is said of a kind that there is not. */
export function placesInWords(list, more = 0) {
  const pauses = list.filter(({reason}) => reason).length;
  const losses = list.length - pauses + more;
  const words = [losses > 0 && count(losses, 'place'), pauses > 0 && count(pauses, 'pause')].filter(Boolean);
  return words.join(', ') || 'None';
}

/** How long something lasts: "0.4 s", "12 s", "2 min 5 s", "1 h 3 min". */
export function span(ms) {
  if (ms < 100) return 'less than 0.1 s';
  if (ms < 9950) return `${(ms / 1000).toFixed(1).replace(/\.0$/, '')} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const [minutes, rest] = [Math.floor(seconds / 60), seconds % 60];
  if (minutes < 60) return rest ? `${minutes} min ${rest} s` : `${minutes} min`;
  const [hours, left] = [Math.floor(minutes / 60), minutes % 60];
  return left ? `${hours} h ${left} min` : `${hours} h`;
}

/**
 * The stretches of a line to be hatched, in parts of its length. What is closer than can
 * be seen is one: a thousand places cost no more than some hundred.
 *
 * @param {Place[]} list in the order of time
 * @param {number} length of the recording, in ms
 * @returns {{from: number, to: number}[]} from 0 to 1
 */
export function stretches(list, length) {
  /** @type {{from: number, to: number}[]} */
  const found = [];
  if (!(length > 0)) return found;
  for (const {at, end} of list) {
    const from = Math.min(1, Math.max(0, at / length));
    const to = Math.min(1, Math.max(from, end / length));
    const before = found.at(-1);
    if (before && from - before.to < APART) before.to = Math.max(before.to, to);
    else found.push({from, to});
  }
  return found;
}

const APART = 1 / 400;
