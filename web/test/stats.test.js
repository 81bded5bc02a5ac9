import assert from 'node:assert/strict';
import {test} from 'node:test';
import {Rate, codecOf, ofType, roundTrip, sum} from '../static/client/stats.js';
import {Latency} from '../static/client/latency.js';

test('a rate is the growth per second, once there are two readings', () => {
  const rate = new Rate();
  assert.equal(rate.next(1000, 5000), null);
  assert.equal(rate.next(2000, 5300), null); // too close: noise
  assert.equal(rate.next(3000, 6000), 2000);
  assert.equal(rate.next(9000, 6399), 2000);
  assert.equal(rate.next(3000, 7000), 0);
});

test('a counter that began anew makes no negative rate', () => {
  const rate = new Rate();
  rate.next(1000, 1000);
  assert.equal(rate.next(2000, 2000), 1000);
  assert.equal(rate.next(10, 3000), 1000);
  assert.equal(rate.next(20, 4000), 10);
  assert.equal(rate.next(undefined, 5000), 10);
});

const report = (...entries) => new Map(entries.map((entry, i) => [entry.id ?? String(i), entry]));

test('figures of a report', () => {
  const r = report({id: 'c', type: 'codec', mimeType: 'video/VP8'}, {type: 'inbound-rtp', n: 2}, {type: 'inbound-rtp'}, {type: 'inbound-rtp', n: 3});
  assert.equal(codecOf(r, {codecId: 'c'}), 'vp8');
  assert.equal(codecOf(r, {codecId: 'gone'}), null);
  assert.equal(codecOf(r, undefined), null);
  assert.equal(sum(ofType(r, 'inbound-rtp'), 'n'), 5);
});

test('the round trip is that of the pair in use', () => {
  const pairs = [
    {id: 'old', type: 'candidate-pair', nominated: true, state: 'succeeded', currentRoundTripTime: 0.5},
    {id: 'now', type: 'candidate-pair', currentRoundTripTime: 0.02},
  ];
  assert.equal(roundTrip(report(...pairs, {type: 'transport', selectedCandidatePairId: 'now'})), 20);
  assert.equal(roundTrip(report(...pairs)), 500); // Firefox names none
  assert.equal(roundTrip(report()), null);
});

test('how far the picture is behind, by the times of the server', () => {
  const latency = new Latency();
  const now = 1_790_000_000_000;
  assert.deepEqual(latency.next({estimatedPlayoutTimestamp: now - 150, timestamp: now}, 10), {latency: 150, basis: 'playout'});
  assert.deepEqual(latency.next({estimatedPlayoutTimestamp: now + 2208988800000 - 80, timestamp: now}, 10), {latency: 80, basis: 'playout'}); // NTP
  assert.deepEqual(latency.next({estimatedPlayoutTimestamp: now + 5000, timestamp: now}, 10), {latency: null, basis: null}); // clocks differ
  assert.deepEqual(latency.next(undefined, null), {latency: null, basis: null});
});

test('or by what frames waited for, of those since the last reading', () => {
  const latency = new Latency();
  latency.next({jitterBufferDelay: 10, jitterBufferEmittedCount: 100, totalDecodeTime: 1, framesDecoded: 100}, 0);
  const {latency: ms, basis} = latency.next({jitterBufferDelay: 11, jitterBufferEmittedCount: 120, totalDecodeTime: 1.1, framesDecoded: 120}, 20);
  assert.equal(basis, 'buffer');
  assert.equal(Math.round(ms), 50 + 5 + 10);
  assert.equal(Math.round(latency.next({jitterBufferDelay: 11, jitterBufferEmittedCount: 120}, 20).latency), 65); // nothing new
});
