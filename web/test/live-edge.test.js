import assert from 'node:assert/strict';
import {beforeEach, test} from 'node:test';
import {LiveEdge, Least, gapEnd, rateFor} from '../static/client/live-edge.js';

const ranges = (...list) => ({length: list.length, start: (i) => list[i][0], end: (i) => list[i][1]});

/** What LiveEdge sees of a video element. */
class Video extends EventTarget {
  buffered = ranges();
  currentTime = 0;
  playbackRate = 1;
  readyState = 4;
  seeking = false;
}

let now = 0;
beforeEach(() => {
  now = 1000;
  globalThis.HTMLMediaElement = {HAVE_FUTURE_DATA: 3};
  Object.defineProperty(performance, 'now', {value: () => now, configurable: true}); // not writable in Node 18
});

const HAND = {least: 0.1, start: 0.2};
const calm = {rate: 1, target: 0.1, fresh: false};

test('it plays at its own pace as long as about as much is left as has to be', () => {
  for (const excess of [-0.03, 0, 0.05]) assert.equal(rateFor(excess, calm), 1);
});

test('it plays faster the further it is behind, within bounds, and ends that late', () => {
  assert.equal(rateFor(0.06, calm), 1.02);
  assert.equal(rateFor(0.15, calm), 1.05);
  assert.equal(rateFor(5, calm), 1.1);
  assert.equal(rateFor(0.03, {...calm, rate: 1.05}), 1.02);
  assert.equal(rateFor(0.01, {...calm, rate: 1.05}), 1);
});

test('with next to nothing left it plays slower, most so at the start', () => {
  assert.equal(rateFor(-0.05, calm), 0.97);
  assert.equal(rateFor(-0.05, {...calm, fresh: true}), 0.8);
  assert.equal(rateFor(-0.01, {...calm, rate: 0.97}), 0.97);
  assert.equal(rateFor(0.01, {...calm, rate: 0.97}), 1);
});

test('the least of the last one to two windows', () => {
  const least = new Least();
  assert.deepEqual([[5, 100], [3, 300], [4, 500], [6, 700], [7, 900], [8, 1300], [9, 1900]].map(([value, at]) => least.next(value, at)),
    [5, 3, 3, 3, 3, 6, 8]);
  least.clear();
  assert.equal(least.next(9, 2000), 9);
});

test('where it goes on after a gap', () => {
  const buffered = ranges([1, 2], [3, 5]);
  for (const [time, want] of [[0.5, 1], [1.5, null], [1.8, 3], [2.5, 3], [4, null], [4.9, null], [6, null]]) {
    assert.equal(gapEnd(buffered, time), want, `at ${time}`);
  }
  assert.equal(gapEnd(ranges(), 1), null);
});

/** An edge past its first moments, with the buffer ending at 10 s. */
function settled(position = 9.8) {
  const video = new Video();
  const edge = new LiveEdge(video, HAND);
  video.buffered = ranges([0, 10]);
  video.currentTime = position;
  edge.steer();
  now += 5000;
  return {video, edge};
}

test('far behind it jumps to shortly before the end, not again at once', () => {
  const {video, edge} = settled();
  video.buffered = ranges([0, 20]);
  edge.steer();
  assert.ok(Math.abs(video.currentTime - 19.8) < 1e-9);
  assert.equal(video.playbackRate, 1);
  video.currentTime = 10; // the element has not got there yet
  now += 300;
  edge.steer();
  assert.equal(video.currentTime, 10);
  now += 500;
  edge.steer();
  assert.ok(video.currentTime > 19);
});

test('a gap that it has come to is jumped over, and one that it plays before is not', () => {
  const {video, edge} = settled();
  video.buffered = ranges([0, 10], [10.3, 10.6]);
  video.currentTime = 9.95;
  edge.steer();
  assert.equal(video.currentTime, 9.95); // it still plays
  video.readyState = 2;
  edge.steer();
  assert.equal(video.currentTime, 10.3);
});

test('what it keeps in hand grows with each stall, and is given back slowly', () => {
  const {video, edge} = settled();
  const rates = [];
  const look = () => {
    video.buffered = ranges([0, video.buffered.end(0) + 0.03]);
    video.currentTime = video.buffered.end(0) - 0.14;
    now += 600;
    edge.steer();
    rates.push(video.playbackRate);
  };
  for (let i = 0; i < 4; i++) look();
  assert.deepEqual(rates.slice(2), [1, 1]);
  for (let i = 0; i < 3; i++) {
    now += 2000;
    video.dispatchEvent(new Event('waiting'));
  }
  for (let i = 0; i < 3; i++) look();
  assert.equal(rates.at(-1), 0.97); // 0.1 was enough, 0.28 is asked for now
  for (let i = 0; i < 60; i++) look();
  assert.equal(rates.at(-1), 1);
  edge.close();
  video.dispatchEvent(new Event('waiting'));
});

test('how far it is behind is told as a mean', () => {
  const {video, edge} = settled();
  for (let i = 0; i < 100; i++) {
    video.buffered = ranges([0, 10 + i / 10]);
    video.currentTime = 10 + i / 10 - (i % 2 ? 0.2 : 0.3);
    now += 100;
    edge.steer();
  }
  assert.ok(Math.abs(edge.behind - 0.25) < 0.02, `${edge.behind}`);
});

test('without data it does nothing', () => {
  const video = new Video();
  const edge = new LiveEdge(video, HAND);
  edge.steer();
  assert.equal(edge.behind, null);
  assert.equal(video.currentTime, 0);
});
