import assert from 'node:assert/strict';
import {test} from 'node:test';
import {lacking, places, placesInWords, span, stretches} from '../static/app/gaps.js';

const tracks = [{id: 'v0', kind: 'video'}, {id: 'a0', kind: 'audio'}];
const gap = (track, at_ms, duration_ms, reason) => ({track, at_ms, duration_ms, reason});
const said = (...gaps) => places({tracks, gaps}).map(lacking);

test('what overlaps, or begins in the same second, is one place', () => {
  assert.deepEqual(places({tracks, gaps: [gap('a0', 5000, 2000), gap('v0', 1000, 100), gap('v0', 4000, 4000), gap('v0', 1900, 100)]}), [
    {at: 1000, end: 2000, reason: '', lacks: {video: 200}},
    {at: 4000, end: 8000, reason: '', lacks: {video: 4000, audio: 2000}},
  ]);
  assert.deepEqual(places({tracks}), []);
  assert.deepEqual(places({tracks: null, gaps: []}), []);
});

test('a pause and a loss are two places, also in the same second', () => {
  assert.deepEqual(said(gap('v0', 1000, 12000, 'paused'), gap('v0', 1100, 200), gap('a0', 1010, 12000, 'paused')),
    ['Paused for 12 s', '0.2 s of picture missing']);
});

test('words for every kind of place', () => {
  assert.deepEqual(said(gap('v0', 0, 4000)), ['4 s of picture missing']);
  assert.deepEqual(said(gap('a0', 0, 20)), ['Less than 0.1 s of sound missing']);
  assert.deepEqual(said(gap('v0', 0, 4000), gap('a0', 10, 4000)), ['4 s of picture and sound missing']);
  assert.deepEqual(said(gap('v0', 0, 4000), gap('a0', 10, 1200)), ['4 s of picture and 1.2 s of sound missing']);
  assert.deepEqual(said(gap('v0', 0, 0)), ['A picture missing']);
  assert.deepEqual(said(gap('a0', 0, 0)), ['A piece of sound missing']);
  assert.deepEqual(said(gap('v0', 0, 0), gap('a0', 0, 500)), ['A picture and 0.5 s of sound missing']);
  assert.deepEqual(said(gap('v0', 0, 500, 'disk')), ['Left out (disk), 0.5 s']);
  assert.deepEqual(said(gap('captions', 0, 500)), ['0.5 s of captions missing']);
});

test('how many there are', () => {
  const list = places({tracks, gaps: [gap('v0', 0, 50), gap('v0', 5000, 50), gap('v0', 9000, 50, 'paused')]});
  assert.equal(placesInWords(list), '2 places, 1 pause');
  assert.equal(placesInWords(list.slice(2)), '1 pause');
  assert.equal(placesInWords(list.slice(0, 1), 3), '4 places');
  assert.equal(placesInWords([]), 'None');
});

test('how long something lasts', () => {
  assert.deepEqual([0, 99, 100, 3960, 4000, 9950, 59600, 125000, 120000, 3780000, 3600000].map(span),
    ['less than 0.1 s', 'less than 0.1 s', '0.1 s', '4 s', '4 s', '10 s', '1 min', '2 min 5 s', '2 min', '1 h 3 min', '1 h']);
});

test('a thousand places are some hundred stretches at most, within the line', () => {
  const many = Array.from({length: 1000}, (_, n) => ({at: n * 1000, end: n * 1000 + 40, reason: '', lacks: {video: 40}}));
  const found = stretches(many, 1000 * 1000);
  assert.ok(found.length <= 400, `${found.length}`);
  assert.ok(found.every(({from, to}) => from >= 0 && to >= from && to <= 1));
  assert.deepEqual(stretches([{at: 900, end: 5000, reason: '', lacks: {}}], 1000), [{from: 0.9, to: 1}]);
  assert.deepEqual(stretches(many, 0), []);
});
