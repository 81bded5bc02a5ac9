import assert from 'node:assert/strict';
import {test} from 'node:test';
import {distinctLabels, runningSince, spoken, stateWord} from '../static/app/card-words.js';
import {dayOf} from '../static/app/format.js';

test('lengths as they are read aloud', () => {
  assert.deepEqual([0, 400, 12_000, 60_000, 303_000, 3_900_000, NaN].map(spoken), ['', '1 s', '12 s', '1 min', '5 min 3 s', '1 h 5 min', '']);
});

test('words of states and days', () => {
  assert.deepEqual(['connecting', 'live', 'waiting', 'new'].map(stateWord), ['Starting', 'Live', 'Reconnecting', 'new']);
  const noon = new Date(2026, 10, 30, 12);
  const at = (...time) => new Date(2026, ...time).toISOString();
  assert.doesNotMatch(runningSince(at(10, 30, 9), noon), /oday/);
  assert.match(runningSince(at(10, 29, 9), noon), /^yesterday, /);
  assert.deepEqual([dayOf(at(10, 30, 9), noon), dayOf(at(10, 29, 23), noon), dayOf('nonsense', noon)], ['Today', 'Yesterday', '–']);
  assert.match(dayOf(at(10, 20, 9), noon), /20/);
});

test('no two labels are the same', () => {
  const one = {id: 'a', stream: 's', started_at: '2026-11-30T10:00:01Z'};
  const list = [one, {...one, id: 'b', started_at: '2026-11-30T10:00:02Z'}, {...one, id: 'c'}, {...one, id: 'd', stream: 't'}];
  const labels = distinctLabels(list, () => 'today');
  assert.equal(labels.get('d'), 'today'); // its name tells it from the others
  assert.equal(new Set(['a', 'b', 'c'].map((id) => labels.get(id))).size, 3);
  assert.match(labels.get('b') ?? '', /^today, at /);
  assert.equal(labels.get('c'), 'today, c');
});
