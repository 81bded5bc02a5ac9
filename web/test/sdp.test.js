import assert from 'node:assert/strict';
import {test} from 'node:test';
import {opusBitrate, withOpus} from '../static/client/opus.js';
import {startBitrate} from '../static/client/start-bitrate.js';
import {nameProblem, urlOf} from '../static/client/name.js';
import {urlAt} from '../static/client/home.js';

const sdp = (...lines) => lines.map((line) => `${line}\r\n`).join('');

test('parameters of Opus are put in, or take the place of others', () => {
  const map = 'a=rtpmap:111 opus/48000/2';
  assert.equal(withOpus(sdp(map, 'a=fmtp:111 minptime=10;stereo=0', 'a=x'), {stereo: 1}), sdp(map, 'a=fmtp:111 minptime=10;stereo=1', 'a=x'));
  assert.equal(withOpus(sdp(map, 'a=x'), {stereo: 1, maxaveragebitrate: 9}), sdp(map, 'a=fmtp:111 stereo=1;maxaveragebitrate=9', 'a=x'));
  assert.equal(withOpus(sdp('a=rtpmap:0 PCMU/8000'), {stereo: 1}), sdp('a=rtpmap:0 PCMU/8000'));
});

test('what a sound is worth', () => {
  const track = (channelCount) => ({getSettings: () => ({channelCount})});
  assert.deepEqual([opusBitrate(track(1)), opusBitrate(track(2)), opusBitrate(undefined), opusBitrate(track(undefined))], [64000, 128000, 128000, 128000]);
});

test('the bitrate to start with is four fifths of the ceiling, 2 Mbit/s at most', () => {
  const vp8 = 'a=rtpmap:96 VP8/90000';
  assert.equal(startBitrate(sdp(vp8, 'a=x'), 1_000_000), sdp(vp8, 'a=fmtp:96 x-google-start-bitrate=800', 'a=x'));
  assert.equal(startBitrate(sdp(vp8), 10_000_000), sdp(vp8, 'a=fmtp:96 x-google-start-bitrate=2000'));
  assert.equal(startBitrate(sdp('a=rtpmap:97 VP9/90000'), 1), sdp('a=rtpmap:97 VP9/90000'));
});

test('names', () => {
  const long = 'a'.repeat(64);
  for (const good of ['a', 'a/b/c/d', 'A.b_c-9', long, 'a..b']) assert.equal(nameProblem(good), '', good);
  for (const bad of ['', '/a', 'a/', 'a//b', 'a/b/c/d/e', 'a b', '.a', 'a/.b', 'ä', '😀', `${long}a`]) assert.notEqual(nameProblem(bad), '', bad);
});

test('URLs of resources, below a path too', () => {
  globalThis.location = {href: 'https://page.example/x'};
  assert.equal(urlOf('https://live.example/media/', '/whip/', 'a/b c').href, 'https://live.example/media/whip/a/b%20c');
  assert.equal(urlOf('https://live.example', '/whep/', 'a').href, 'https://live.example/whep/a');
  assert.equal(urlAt('/below', '/api/v1/streams').href, 'https://page.example/below/api/v1/streams');
  delete globalThis.location;
});
