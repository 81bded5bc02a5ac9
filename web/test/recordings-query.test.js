import assert from 'node:assert/strict';
import {test} from 'node:test';
import {addressOf, askedOf, inWords, meantBy, suggestions, textOf, wantedBy} from '../static/app/recordings-query.js';

const none = {stream: '', prefix: '', search: '', since: '', quality: ''};

test('an address says what is wanted, and the other way round', () => {
  assert.deepEqual(wantedBy(''), none);
  assert.equal(addressOf(none), '');
  for (const some of [{stream: 'acme/alice'}, {prefix: 'acme'}, {search: 'порт', quality: 'gaps'}, {since: 'week'}]) {
    assert.deepEqual(wantedBy(addressOf({...none, ...some})), {...none, ...some});
  }
  assert.deepEqual(wantedBy('?prefix=acme/&since=toString&quality=best'), {...none, prefix: 'acme'});
});

test('what the text of the field means', () => {
  const known = (name) => name === 'acme/alice';
  const nothing = {stream: '', prefix: '', search: ''};
  assert.deepEqual(meantBy(' acme/alice ', known), {...nothing, stream: 'acme/alice'});
  assert.deepEqual(meantBy('acme/', known), {...nothing, prefix: 'acme'});
  assert.deepEqual(meantBy('acme', known), {...nothing, search: 'acme'});
  assert.deepEqual(meantBy('what / ever/', known), {...nothing, search: 'what / ever/'});
  assert.deepEqual(meantBy('', known), nothing);
  assert.deepEqual([{stream: 'a'}, {prefix: 'a'}, {search: 'a'}].map((some) => textOf({...none, ...some})), ['a', 'a/', 'a']);
});

test('what the API is asked', () => {
  const now = new Date(2026, 10, 30, 12);
  assert.equal(askedOf({...none, since: 'today'}, now).from, new Date(2026, 10, 30).toISOString());
  assert.equal(askedOf({...none, since: 'week'}, now).from, new Date(2026, 10, 24).toISOString());
  assert.equal(askedOf({...none, quality: 'whole'}).quality, 'clean,repaired');
  assert.deepEqual([none, {...none, stream: 'a'}, {...none, prefix: 'a'}, {...none, search: 'a'}].map(inWords), ['', ' of a', ' below a/', ' with “a”']);
  assert.deepEqual(suggestions(['b', 'a/b/c', 'a/d']), ['a/', 'a/b/', 'a/b/c', 'a/d', 'b']);
});
