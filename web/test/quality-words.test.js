import assert from 'node:assert/strict';
import {test} from 'node:test';
import {qualityWords} from '../static/app/quality-words.js';

const tracks = [{id: 'video', kind: 'video'}, {id: 'audio', kind: 'audio'}];
const words = (verdict, quality = {}, gaps = [], more_gaps = 0) => qualityWords({tracks, gaps, more_gaps, quality: {verdict, ...quality}});
const gap = (at_ms, duration_ms, reason) => ({track: 'audio', at_ms, duration_ms, reason});

test('a good recording has one sentence', () => {
  assert.equal(words('clean'), 'Nothing is missing.');
  assert.match(words('repaired'), /came again/);
  assert.equal(qualityWords({tracks}), '');
});

test('places are counted as the page lists them, and never none', () => {
  assert.equal(words('gaps', {}, [gap(0, 100), gap(500, 100), gap(5000, 100)]), 'Something is missing at 2 places.');
  assert.equal(words('poor', {}, [gap(0, 100)], 4), 'Something is missing at 5 places. That is more than a hundredth of it.');
  assert.equal(words('gaps'), 'Something is missing; where is not known.');
  for (const verdict of ['clean', 'repaired', 'gaps', 'poor']) assert.doesNotMatch(words(verdict), /\b0 place/);
});

test('silence of a pause is not missing', () => {
  const pause = gap(1000, 5000, 'paused');
  assert.doesNotMatch(words('gaps', {filler_ms: 4900}, [pause, gap(9000, 100)]), /Silence/);
  assert.match(words('gaps', {filler_ms: 7000}, [pause]), /Silence stands for 2\.0 s/);
});

test('a clock of the wrong rate is named', () => {
  assert.match(words('poor', {clocks: [{track: 'audio', skew_ppm: -81250, wrong_rate: true}]}), /clock of the sound is 8\.1 % too slow/);
});
