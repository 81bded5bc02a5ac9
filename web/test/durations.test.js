import assert from 'node:assert/strict';
import {test} from 'node:test';
import {Durations} from '../static/client/append-queue.js';

const header = [0x1a, 0x45, 0xdf, 0xa3, 0x80,
  0xd7, 0x81, 1, 0x83, 0x81, 1, 0x23, 0xe3, 0x83, 0x84, 1, 2, 3, 4, // track 1: video, with a DefaultDuration
  0xd7, 0x81, 2, 0x83, 0x81, 2]; // track 2: audio
const cluster = (time) => [0x1f, 0x43, 0xb6, 0x75, 0x01, 0, 0, 0, 0, 0, 0, 0, 0xe7, 0x88, ...bytes(time, 8)];
const simple = (track, time, key, data) => [0xa3, 0x80 | data.length + 4, 0x80 | track, ...bytes(time, 2), key ? 0x80 : 0, ...data];
const bytes = (n, size) => Array.from({length: size}, (_, i) => Math.floor(n / 256 ** (size - 1 - i)) & 255);
/** 20 ms of sound. */
const SOUND = [15 << 3, 0];

function feed() {
  const durations = new Durations();
  const next = (...parts) => [...durations.next(Uint8Array.from(parts.flat()).buffer)];
  return {next, header: next(header)};
}

/** The BlockGroups in what was appended: track, time in the cluster, duration, key. */
function groups(appended) {
  const found = [];
  for (let at = 0; at < appended.length;) {
    if (appended[at] === 0x1f) {
      assert.deepEqual(appended.slice(at + 4, at + 12), [0x01, ...Array(7).fill(0xff)]); // it grows
      at += 22;
      continue;
    }
    assert.equal(appended[at], 0xa0);
    const view = new DataView(Uint8Array.from(appended).buffer);
    const size = view.getUint32(at + 1) & 0xfffffff;
    const block = view.getUint32(at + 6) & 0xfffffff;
    const end = at + 5 + size;
    const rest = at + 10 + block;
    assert.equal(appended[at + 5], 0xa1);
    assert.equal(appended[at + 13] & 0x80, 0); // no flag of a SimpleBlock
    assert.deepEqual(appended.slice(rest, rest + 2), [0x9b, 0x84]);
    found.push([appended[at + 10] & 0x7f, view.getInt16(at + 11), view.getUint32(rest + 2), end === rest + 6]);
    at = end;
  }
  return found;
}

test('how long all pictures last is taken out of the header, whose size stays', () => {
  const {header: out} = feed();
  assert.equal(out.length, header.length);
  assert.deepEqual(out.slice(11, 19), [0xec, 0x86, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual(out.slice(0, 11), header.slice(0, 11));
});

test('a picture waits for the next one, and lasts until then', () => {
  const {next} = feed();
  assert.deepEqual(groups(next(cluster(1000), simple(1, 0, true, [9, 9]))), []);
  assert.deepEqual(groups(next(simple(1, 33, false, [8]))), [[1, 0, 33, true]]);
  assert.deepEqual(groups(next(simple(1, 70, false, [7]))), [[1, 33, 37, false]]);
});

test('sound behind a picture that waits goes after it', () => {
  const {next} = feed();
  assert.deepEqual(groups(next(cluster(0), simple(1, 0, true, [9]), simple(2, 5, true, SOUND))), []);
  assert.deepEqual(groups(next(simple(2, 25, true, SOUND), simple(1, 40, false, [8]))), [[1, 0, 40, true], [2, 5, 20, true], [2, 25, 20, true]]);
});

test('a picture that is waited for in vain is taken for frozen', () => {
  const {next} = feed();
  next(cluster(0), simple(1, 0, true, [9]));
  assert.deepEqual(groups(next(simple(2, 300, true, SOUND))), []);
  assert.deepEqual(groups(next(simple(2, 320, true, SOUND))), [[1, 0, 1000, true], [2, 300, 20, true], [2, 320, 20, true]]);
});

test('the next picture may be in the next cluster', () => {
  const {next} = feed();
  next(cluster(1000), simple(1, 0, true, [9]));
  const out = next(cluster(1040), simple(1, 0, false, [8]));
  assert.deepEqual(groups(out), [[1, 0, 40, true]]); // and the cluster's head behind it
  assert.equal(out[out.length - 22], 0x1f);
});

test('how long sound lasts (RFC 6716 section 3.1)', () => {
  for (const [toc, count, want] of [
    [0 << 3, 0, 10], [3 << 3, 0, 60], [12 << 3, 0, 10], [13 << 3, 0, 20], [16 << 3, 0, 3], [19 << 3, 0, 20],
    [15 << 3 | 1, 0, 40], [15 << 3 | 2, 0, 40], [15 << 3 | 3, 3, 60],
  ]) {
    const {next} = feed();
    assert.deepEqual(groups(next(cluster(0), simple(2, 0, true, [toc, count]))), [[2, 0, want, true]], `TOC ${toc}`);
  }
});

test('a new header begins anew', () => {
  const {next} = feed();
  next(cluster(0), simple(1, 0, true, [9]));
  next(header);
  assert.deepEqual(groups(next(cluster(0), simple(1, 5, true, [9]))), []);
});
