import assert from 'node:assert/strict';
import {test} from 'node:test';

globalThis.document = /** @type {any} */ ({baseURI: 'http://localhost/'});
globalThis.location = /** @type {any} */ (new URL('http://localhost/'));
const {points} = await import('../static/app/trends.js');

test('a line ends with the newest figure, and its highest is at the top', () => {
  assert.equal(points([0, 5, 10]), '57,19 58,10 59,1');
  assert.equal(points([0, 0]), '58,19 59,19');
  assert.equal(points(Array(60).fill(3)).split(' ')[0], '0,1');
});
