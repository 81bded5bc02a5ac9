/**
 * Words of cards: what states are called, how long a thing is when it is read aloud.
 */
import {when} from './format.js';

const STATES = {
  connecting: 'Starting', live: 'Live', waiting: 'Reconnecting', ended: 'Ended',
  recording: 'Recording', paused: 'Paused', finished: 'Finished', interrupted: 'Interrupted', failed: 'Failed',
};

/** @param {string} state of a stream or a recording */
export const stateWord = (state) => STATES[state] ?? state;

/** "1 h 5 min", "5 min 3 s", "12 s"; '' while it is not known. */
export function spoken(ms) {
  if (!(ms > 0)) return '';
  const seconds = Math.max(1, Math.floor(ms / 1000));
  const [h, min, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return [h && `${h} h`, min && `${min} min`, !h && s && `${s} s`].filter(Boolean).join(' ');
}

/** Behind "since": "14:03", "yesterday, 9:10", "3 Nov, 18:00". */
export function runningSince(time, now = new Date()) {
  return when(time, now).replace(/^Today, /, '').replace(/^Yesterday/, 'yesterday');
}

const seconds = new Intl.DateTimeFormat(undefined, {hour: 'numeric', minute: '2-digit', second: '2-digit'});

/**
 * Labels that no two of a list share: where date and length are the same, the seconds
 * tell them apart, and where those are, the id does.
 *
 * @template {{id: string, started_at: string, stream: string, title?: string}} R
 * @param {R[]} list
 * @param {(recording: R) => string} label
 * @returns {Map<string, string>} by id
 */
export function distinctLabels(list, label) {
  const finer = [label, (r) => `${label(r)}, at ${seconds.format(new Date(r.started_at))}`, (r) => `${label(r)}, ${r.id}`];
  /** @type {Map<string, string>} */
  const labels = new Map();
  let open = list;
  for (const how of finer) {
    const groups = group(open, (r) => `${r.title}\n${r.stream}\n${how(r)}`);
    open = [];
    for (const same of groups.values()) {
      for (const r of same) labels.set(r.id, how(r));
      if (same.length > 1) open.push(...same);
    }
  }
  return labels;
}

/**
 * @template T
 * @param {T[]} list
 * @param {(one: T) => string} key
 * @returns {Map<string, T[]>}
 */
export function group(list, key) {
  const groups = new Map();
  for (const one of list) groups.set(key(one), [...(groups.get(key(one)) ?? []), one]);
  return groups;
}
