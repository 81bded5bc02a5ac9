import assert from 'node:assert/strict';
import {test} from 'node:test';
import {backoff, pause} from '../static/client/wait.js';

/** With each value that Math.random() may give at the ends. */
function spread(t, attempt, limits) {
  const random = t.mock.method(Math, 'random', () => 0);
  const least = backoff(attempt, limits);
  random.mock.mockImplementation(() => 1);
  return [Math.round(least), Math.round(backoff(attempt, limits))];
}

test('each wait is twice the one before, spread by a fifth, up to the most', (t) => {
  assert.deepEqual([0, 1, 2, 3, 4, 5, 50].map((attempt) => spread(t, attempt)),
    [[400, 600], [800, 1200], [1600, 2400], [3200, 4800], [6400, 9600], [6400, 9600], [6400, 9600]]);
  assert.deepEqual([0, 3, 4].map((attempt) => spread(t, attempt, {first: 100, most: 1000})), [[80, 120], [640, 960], [800, 1200]]);
});

test('a pause ends after its time', async () => {
  await pause(0);
});

test('a pause ends as soon as one of its signals does', async () => {
  const [one, other] = [new AbortController(), new AbortController()];
  const over = pause(1e6, one.signal, other.signal);
  other.abort();
  await over;
  await pause(1e6, one.signal, other.signal); // it has come already
});
