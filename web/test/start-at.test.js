import assert from 'node:assert/strict';
import {test} from 'node:test';
import {linkAt, parseTime} from '../static/app/start-at.js';

test('times in links', () => {
  const want = {83: 83, '83s': 83, '1m23s': 83, '1m': 60, '1h2m3s': 3723, '1h': 3600, '1M23S': 83, '1:23': 83, '1:02:03': 3723, '2.5': 2.5, ' 7 ': 7, 0: 0};
  for (const [text, seconds] of Object.entries(want)) assert.equal(parseTime(text), seconds, text);
  for (const text of [null, '', ' ', '-5', 'soon', '1m23x', '1:99', 'NaN', '1e9', '9'.repeat(40)]) assert.equal(parseTime(text), null, String(text));
});

test('a link that begins later', () => {
  const at = (address, seconds) => linkAt(`https://live.example/media/recordings/c3a91f20${address}`, seconds).replace(/.*c3a91f20/, '');
  assert.deepEqual([at('', 83.9), at('', 0.9), at('?t=5', 83), at('?t=5', 0), at('?a=1#x', 7200)],
    ['?t=83', '', '?t=83', '', '?a=1&t=7200']);
});
