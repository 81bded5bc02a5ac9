import assert from 'node:assert/strict';
import {test} from 'node:test';
import {addressAt, parseTime} from '../static/app/start-at.js';

test('times in links', () => {
  const want = {83: 83, '83s': 83, '1m23s': 83, '1m': 60, '1h2m3s': 3723, '1h': 3600, '1M23S': 83, '1:23': 83, '1:02:03': 3723, '2.5': 2.5, ' 7 ': 7, 0: 0};
  for (const [text, seconds] of Object.entries(want)) assert.equal(parseTime(text), seconds, text);
  for (const text of [null, '', ' ', '-5', 'soon', '1m23x', '1:99', 'NaN', '1e9', '9'.repeat(40)]) assert.equal(parseTime(text), null, String(text));
});

test('a link to a time', () => {
  assert.equal(addressAt('https://a.example/recordings/x', 83.9), 'https://a.example/recordings/x?t=83');
  assert.equal(addressAt('https://a.example/recordings/x?t=5#y', 0.4), 'https://a.example/recordings/x');
});
