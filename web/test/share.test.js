import assert from 'node:assert/strict';
import {test} from 'node:test';
import {linkAt} from '../static/app/share.js';

test('a link that begins later', () => {
  const at = (address, seconds) => linkAt(`https://live.example/media/recordings/c3a91f20${address}`, seconds).replace(/.*c3a91f20/, '');
  assert.deepEqual([at('', 83.9), at('', 0.9), at('?t=5', 83), at('?t=5', 0), at('?a=1#x', 7200)],
    ['?t=83', '', '?t=83', '', '?a=1&t=7200']);
});
