import * as api from './api.js';
import {el, setText} from './dom.js';
import {count} from './format.js';

/** How long a question stays open. */
const ASK_MS = 4000;

/** Which tracks have a clock of the wrong rate, in a sentence each. */
function clocks({quality}) {
  return (quality?.clocks ?? []).filter((clock) => clock.wrong_rate).map(({track, skew_ppm: skew}) =>
    ` The publisher's ${track} clock is ${(Math.abs(skew) / 1e4).toFixed(1)} % too ${skew < 0 ? 'slow' : 'fast'}.`).join('');
}

/** Silence shorter than this is not worth a word. */
const FILLER_MS = 1000;
const APART_MS = 3000;
const TRACKS = {audio: 'sound', video: 'picture'};

const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;

/** What is wrong with a recording, a sentence each. */
function faults({gaps = [], more_gaps: more = 0, quality}) {
  const holes = gaps.filter((gap) => !gap.reason).length + more;
  const {verdict, ended_early: early, apart_ms: apart = 0, filler_ms: filler = 0, trimmed_ms: trimmed = 0, drift_ms: drift = 0, unusable = []} = quality;
  const missing = filler + trimmed - drift; // where a clock is made up for, nothing is
  return [
    holes > 0 && `Something is missing at ${count(holes, 'place')}.`,
    holes > 0 && verdict === 'poor' && 'That is more than a hundredth of it.',
    early && `The ${TRACKS[early.track] ?? early.track} ends at ${seconds(early.at_ms)}, before the rest.`,
    ...unusable.map((track) => `The ${TRACKS[track] ?? track} is missing: nothing came that a player could begin with.`),
    apart > APART_MS && `Picture and sound are apart for ${seconds(apart)}.`,
    missing > FILLER_MS && (trimmed === 0
      ? `Silence stands for ${seconds(missing)} in which no sound came.`
      : `Sound of ${seconds(missing)} is missing: none came, or more than there was room for.`),
  ].filter(Boolean);
}

/** What a viewer of a recording will notice, in a sentence or some. */
function quality(recording) {
  switch (recording.quality?.verdict) {
    case 'clean': return 'Nothing is missing.';
    case 'repaired': return 'Some packets were lost on the way and came again. Nothing is missing.';
    case 'gaps':
    case 'poor': return faults(recording).join(' ');
    default: return '';
  }
}

/**
 * What there is to know and to do about a recording whose player is open.
 *
 * @param {any} recording
 * @param {() => void} deleted called once it is gone
 */
export function details(recording, deleted) {
  const trouble = el('p', {class: 'note', 'data-tone': 'bad', role: 'alert', hidden: true});
  return el('div', {class: 'row-details'},
    el('p', {class: 'soft'}, quality(recording) + clocks(recording)), deleteButton(recording, deleted, trouble), trouble);
}

/** Asks before it deletes, where the finger is already. */
function deleteButton(recording, deleted, trouble) {
  const button = el('button', {type: 'button', class: 'button', 'data-action': 'delete'}, 'Delete');
  let timer = 0;
  const calm = () => {
    clearTimeout(timer);
    timer = 0;
    delete button.dataset.tone;
    setText(button, 'Delete');
  };
  button.addEventListener('click', async () => {
    if (!timer) {
      timer = setTimeout(calm, ASK_MS);
      button.dataset.tone = 'bad';
      setText(button, 'Delete for good?');
      return;
    }
    calm();
    button.disabled = true;
    try {
      await api.deleteRecording(recording.id);
      deleted();
    } catch (problem) {
      setText(trouble, problem.message);
      trouble.hidden = false;
      button.disabled = false;
    }
  });
  return button;
}
