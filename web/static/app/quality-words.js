import {count} from './format.js';
import {NAMES, places} from './gaps.js';

/**
 * How good a recording is, in words. It only computes.
 */

/** Which tracks have a clock of the wrong rate, in a sentence each. */
function clocks({quality}) {
  return (quality?.clocks ?? []).filter((clock) => clock.wrong_rate).map(({track, skew_ppm: skew}) =>
    ` The broadcaster’s clock of the ${NAMES[track] ?? track} is ${(Math.abs(skew) / 1e4).toFixed(1)} % too ${skew < 0 ? 'slow' : 'fast'}.`).join('');
}

/** Silence shorter than this is not worth a word. */
const FILLER_MS = 1000;
const APART_MS = 3000;

const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;

/** What is wrong with a recording, a sentence each. */
function faults(recording) {
  const {more_gaps: more = 0, quality} = recording;
  const holes = places(recording).filter((place) => !place.reason).length + more;
  const {verdict, ended_early: early, apart_ms: apart = 0, filler_ms: filler = 0, trimmed_ms: trimmed = 0, drift_ms: drift = 0, unusable = []} = quality;
  const paused = places(recording).filter((place) => place.reason).reduce((sum, {lacks}) => sum + (lacks.audio ?? 0), 0);
  const missing = filler + trimmed - drift - paused; // nothing is where a clock is made up for, or nothing was wanted
  return [
    holes > 0 && `Something is missing at ${count(holes, 'place')}.`,
    holes > 0 && verdict === 'poor' && 'That is more than a hundredth of it.',
    early && `The ${NAMES[early.track] ?? early.track} ends at ${seconds(early.at_ms)}, before the rest.`,
    ...unusable.map((track) => `The ${NAMES[track] ?? track} is missing: nothing came that a player could begin with.`),
    apart > APART_MS && `Picture and sound are apart for ${seconds(apart)}.`,
    missing > FILLER_MS && (trimmed === 0
      ? `Silence stands for ${seconds(missing)} in which no sound came.`
      : `Sound of ${seconds(missing)} is missing: none came, or more than there was room for.`),
  ].filter(Boolean);
}

/**
 * @param {any} recording as the API shows it
 * @returns {string} what a viewer of it will notice, in a sentence or some; '' while that is not known
 */
export function qualityWords(recording) {
  return verdict(recording) + clocks(recording);
}

function verdict(recording) {
  switch (recording.quality?.verdict) {
    case 'clean': return 'Nothing is missing.';
    case 'repaired': return 'Some packets were lost on the way and came again. Nothing is missing.';
    case 'gaps':
    case 'poor': return faults(recording).join(' ') || 'Something is missing; where is not known.';
    default: return '';
  }
}
