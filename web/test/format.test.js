import assert from 'node:assert/strict';
import {test} from 'node:test';
import * as format from '../static/app/format.js';

test('times as people read them', () => {
  assert.deepEqual([0, 999, 65000, 3661000, -5, NaN, undefined].map(format.clock), ['0:00', '0:00', '1:05', '1:01:01', '0:00', '–', '–']);
  const noon = new Date(2026, 10, 30, 12);
  assert.match(format.when(new Date(2026, 10, 30, 9).toISOString(), noon), /^Today, /);
  assert.match(format.when(new Date(2026, 10, 29, 9).toISOString(), noon), /^Yesterday, /);
  assert.match(format.when(new Date(2025, 0, 3, 9).toISOString(), noon), /2025/);
  assert.equal(format.when('nonsense'), '–');
});

test('sizes and rates', () => {
  assert.deepEqual([999, 1e6, 12.4e6, 2.5e9, NaN].map(format.bytes), ['1 kB', '1.0 MB', '12 MB', '2.50 GB', '–']);
  assert.deepEqual([64000, 2.5e6, undefined].map(format.bitrate), ['64 kbit/s', '2.5 Mbit/s', '–']);
  assert.deepEqual([0, 0.004, 0.25, null].map(format.percent), ['0 %', '0.4 %', '25 %', '–']);
  assert.deepEqual([format.fps(29.97), format.ms(1.4), format.fps(null)], ['30 fps', '1 ms', '–']);
  assert.deepEqual(['Bad Gateway', 'It is gone. ', ''].map(format.sentence), ['Bad Gateway.', 'It is gone.', '']);
  assert.deepEqual([format.count(1, 'viewer'), format.count(0, 'viewer'), format.count(2, 'piece of sound', 'pieces of sound')],
    ['1 viewer', '0 viewers', '2 pieces of sound']);
});

test('what the tracks of a recording say', () => {
  const video = {kind: 'video', codec: 'vp8', width: 640, height: 360};
  const audio = {kind: 'audio', codec: 'opus'};
  assert.deepEqual(format.tracks([audio, video]), {size: '640\u202f×\u202f360', codecs: 'VP8 · Opus'});
  assert.deepEqual(format.tracks([audio]), {size: 'sound only', codecs: 'Opus'});
  assert.deepEqual(format.tracks(undefined), {size: '–', codecs: '–'});
});
