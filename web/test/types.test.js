import assert from 'node:assert/strict';
import {test} from 'node:test';
import {declarations, filesOf, served} from './types.js';

test('the library is as its JSDoc has it, and so are the declarations that are served', () => {
  assert.deepEqual(filesOf(served), declarations(), 'stale: npm run types --prefix web');
});
