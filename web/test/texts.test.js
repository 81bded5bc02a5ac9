import assert from 'node:assert/strict';
import {test} from 'node:test';
import {checkedTexts, plainTexts, room, sayIn, textProblem} from '../static/client/texts.js';

test('texts are plain', () => {
  for (const [title, want] of [
    ['بثّ مباشر می‌خواهم', 'بثّ مباشر می‌خواهم'], ['👩‍👩‍👧‍👦 港から', '👩‍👩‍👧‍👦 港から'], ['<b>&amp;', '<b>&amp;'],
    [' two\r\n lines\t!', 'two lines !'], ['a\u0000b\u0085c', 'a b c'], ['a\u2028b', 'a b'], ['cod\u202egpj\u2069.exe', 'codgpj.exe'], ['half \ud83c', 'half'],
  ]) assert.equal(plainTexts({title}).title, want);
  assert.deepEqual(plainTexts({description: 'one\r\n\r\ntwo\u2029three\t\n'}), {title: '', description: 'one\n\ntwo\nthree'});
});

test('characters are counted, not code units', () => {
  assert.equal(textProblem('title', '🎬'.repeat(120)), '');
  assert.equal(textProblem('title', '🎬'.repeat(121)), '121 characters: at most 120 are allowed.');
  assert.equal(textProblem('description', '語'.repeat(2000)), '');
  assert.throws(() => checkedTexts({title: 'ب'.repeat(121)}), /^TypeError: title: 121 characters/);
  assert.throws(() => checkedTexts({description: 'a'.repeat(2001)}), /^TypeError: description: 2001/);
  assert.deepEqual(checkedTexts({}), {title: '', description: ''});
});

test('what is left is counted', () => {
  assert.equal(room('title', ''), 120);
  assert.equal(room('title', '🎬'.repeat(119)), 1);
  assert.equal(room('description', 'a'.repeat(2001)), -1);
});

test('addresses have what has room', () => {
  const url = new URL('https://example.org/whip/a?record=false');
  assert.deepEqual(sayIn(url, {title: '100 % & 海', description: 'a\nb'}), {title: '100 % & 海', description: 'a\nb'});
  assert.equal(url.search, '?record=false&title=100+%25+%26+%E6%B5%B7&description=a%0Ab');
  const long = new URL('https://example.org/whip/a');
  assert.deepEqual(sayIn(long, {title: '🎬'.repeat(120), description: '語'.repeat(2000)}), {title: '🎬'.repeat(120), description: ''});
  assert.ok(long.href.length < 1600);
  assert.equal(sayIn(long, {title: '', description: 'x'}).description, 'x');
});
