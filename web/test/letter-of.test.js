import assert from 'node:assert/strict';
import {test} from 'node:test';
import {letterOf} from '../static/app/letter-of.js';

const pressed = (key, code) => letterOf({key, code});

test('keys do what is written on them', () => {
  assert.equal(pressed('m', 'KeyM'), 'm');
  assert.equal(pressed('K', 'KeyK'), 'k');
  assert.equal(pressed('m', 'Semicolon'), 'm', 'AZERTY');
  assert.equal(pressed('?', 'Minus'), '?', 'German');
  assert.equal(pressed('ArrowLeft', 'ArrowLeft'), 'arrowleft');
});

test('where that is no Latin letter their place counts', () => {
  assert.equal(pressed('ь', 'KeyM'), 'm', 'Russian');
  assert.equal(pressed('ن', 'KeyK'), 'k', 'Arabic');
  assert.equal(pressed('Φ', 'KeyF'), 'f', 'Greek');
});

test('a letter of Latin script is meant as it is', () => {
  assert.equal(pressed('ø', 'Semicolon'), 'ø');
});
