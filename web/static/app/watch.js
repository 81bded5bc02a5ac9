import * as api from './api.js';
import {byId, setIcon, setText, streamName, watchedName} from './dom.js';
import {folding} from './fold.js';
import * as format from './format.js';
import {showPlay} from './player-bar.js';
import {playerControls} from './player-controls.js';
import {seekTo} from './player-keys.js';
import {goesOn} from './recording-row.js';
import {recordingId, recordingOf, recordingPage} from './recording-of.js';
import {Replay} from './replay.js';
import {fallbackLine, forcedTransport, transportName} from './transport.js';
import {Viewer} from '../client/viewer.js';

const name = watchedName();
const video = byId('player');
const viewer = new Viewer({name, video, transport: forcedTransport()});
const replay = new Replay(video);
const fold = folding(byId('description'), byId('more'));

/** @type {any} what the API said of the broadcast when it began */
let stream = null;
let clock = 0;
/** When the user has paused it; 0: it plays, or would. */
let pausedAt = 0;
/** How many recordings of the name are shown, and how often it is looked who watches. */
const SHELF = 12;
const LOOK_TICKS = 10;
/** From when on it is said how long nothing has come, in seconds. */
const AWAY_LEAST_S = 3;
let ticks = 0;
/** When nothing came any more; 0: something comes. */
let awayAt = 0;
let after = new AbortController();

/** What covers the picture while there is none. `still`: the water rests. */
const VEILS = {
  connecting: {title: 'Connecting', text: ''},
  waiting: {title: 'Not live yet', text: 'This page starts playing by itself as soon as the broadcast begins.'},
  reconnecting: {title: 'Connection interrupted', text: 'Trying again…'},
  ended: {title: 'The broadcast has ended', text: 'If it goes on, this page does too.', still: true},
  failed: {title: 'This cannot be played', text: '', still: true},
  idle: {title: 'Stopped', text: '', still: true},
};

/** The same while live, where no picture comes: the broadcast has one, or none. */
const SOUND_ONLY = {
  missing: {title: 'No picture', text: 'The broadcaster sends sound only at the moment. The picture appears by itself when it comes.'},
  none: {title: 'Sound only', text: 'This broadcast has no picture.'},
};

/** Whose connection it is that nothing comes by. */
const AWAY = {
  unknown: 'Nothing comes for a moment. The picture goes on by itself.',
  publisher: 'The broadcaster’s connection is interrupted. The picture goes on by itself.',
  connection: 'Your connection is interrupted. The picture goes on by itself.',
  server: 'The server does not answer. The picture goes on by itself as soon as it does.',
};

const STATUS = {
  idle: 'Stopped',
  connecting: 'Connecting…',
  waiting: 'Waiting for the broadcast to begin',
  live: 'Live',
  reconnecting: 'Connection interrupted, trying again…',
  ended: 'The broadcast has ended',
  failed: 'Cannot be played',
};

function onState({detail: {state, previous, problem, transport, fallbackReason, recording}}) {
  document.documentElement.dataset.state = state;
  const live = state === 'live';
  const veil = VEILS[state];
  byId('live').hidden = !live;
  byId('bar').hidden = !live;
  byId('retry').hidden = state !== 'failed' && state !== 'idle';
  setText(byId('status'), STATUS[state]);
  heading();
  // While it tries again that is said, too.
  if (veil) cover(veil, problem && [problem.message, state === 'reconnecting' && veil.text].filter(Boolean).join(' '));
  if (!live) clearFigures();
  setText(byId('transport'), live ? transportName(transport) : format.NONE);
  setText(byId('fallback'), fallbackLine(fallbackReason, 'watching'));
  byId('fallback').hidden = !fallbackReason;
  if (live) begin();
  if (state === 'waiting' || state === 'ended') lookForRecordings();
  if (state === 'ended' && previous !== 'ended') offerRecording(transport, recording);
}

function cover({title, text, still}, instead) {
  setText(byId('veil-title'), title);
  setText(byId('veil-text'), instead ?? text);
  byId('water').classList.toggle('moving', !still);
  byId('veil').hidden = false;
}

/** While live the veil stays until there is a picture, and says so where none comes. */
function lift() {
  if (viewer.state !== 'live') return;
  const {video: picture, audio: sound} = viewer.media ?? {};
  byId('silent').hidden = sound !== false;
  if (picture === false) cover(SOUND_ONLY.missing);
  else if (picture === null) cover(SOUND_ONLY.none);
  else if (video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && video.videoWidth > 0) byId('veil').hidden = true;
}

function begin() {
  after.abort();
  replay.stop();
  byId('recording-link').hidden = true;
  lift();
  stream = null;
  api.stream(name).then((now) => {
    if (!now || viewer.state !== 'live') return; // over already: the connection tells
    learn(now);
    clearInterval(clock);
    clock = setInterval(tick, 1000);
    tick();
  }, () => {}); // only the line under the title lacks something
}

function learn(now) {
  stream = now;
  heading();
  setText(byId('description'), now.description ?? '');
  byId('description').hidden = !now.description;
  fold();
  if (now.poster && !video.poster) video.poster = now.poster;
  byId('running').title = new Date(now.started_at).toLocaleString();
  setText(byId('watching'), now.viewers ? `· ${format.count(now.viewers, 'viewer')}` : '');
}

/** The title, where there is one, is what people read; the name is the address. */
function heading() {
  const title = stream?.title || '';
  if (title) setText(byId('title'), title);
  else byId('title').replaceChildren(streamName(name));
  byId('name').hidden = !title;
  document.title = `${viewer.state === 'live' ? '● ' : ''}${title || name}: weir`;
}

/** For how long nothing has come; what is over in a moment is not counted. */
function showAway() {
  const seconds = Math.floor((Date.now() - awayAt) / 1000);
  setText(byId('away-for'), awayAt && seconds >= AWAY_LEAST_S ? `${seconds} s` : '');
}

function tick() {
  showAway();
  if (pausedAt) setText(byId('behind'), `−${format.clock(Date.now() - pausedAt)}`);
  if (viewer.state !== 'live') return;
  const running = Date.now() - Date.parse(stream.started_at);
  setText(byId('running'), `for ${format.clock(running)}`);
  if (++ticks % LOOK_TICKS === 0 && !document.hidden) api.stream(name).then((now) => now && viewer.state === 'live' && learn(now), () => {});
}

async function lookForRecordings() {
  const list = await api.recordings(name).catch(() => []);
  const shown = list.filter((recording) => recording.bytes > 0 && !goesOn(recording)).slice(0, SHELF);
  byId('earlier').hidden = shown.length === 0;
  if (shown.length === 0) return;
  const {showShelf} = await import('./shelf.js');
  showShelf(byId('recordings'), shown);
}

/** A pause of a broadcast is real, too: the picture stands, and the broadcast runs on. */
function toggle() {
  if (replay.playing) {
    if (video.paused) void video.play();
    else video.pause();
  } else if (viewer.state !== 'live') return;
  else if (video.paused) toEdge();
  else {
    pausedAt = Date.now();
    video.pause();
    showPause();
  }
}

function toEdge() {
  if (replay.playing) return seekTo(video, video.duration);
  if (viewer.state !== 'live') return;
  pausedAt = 0;
  video.play().catch(() => offerTap('blocked'));
  showPause();
}

function showPause() {
  showPlay(pausedAt > 0);
  byId('live').toggleAttribute('data-behind', pausedAt > 0);
  setText(byId('behind'), pausedAt ? '−0:00' : '');
}

/** Over a WebSocket, where the player plays files as it plays the broadcast, it goes on with the recording. */
async function offerRecording(transport, url) {
  after.abort();
  after = new AbortController();
  const {signal} = after;
  const found = await recordingOf(name, signal, url ? recordingId(url) : stream?.recording);
  if (!found || signal.aborted) return;
  byId('recording-link').href = recordingPage(found);
  byId('recording-link').hidden = false;
  if (transport !== 'websocket') return;
  if (!await replay.start(found.url, signal)) return;
  byId('veil').hidden = true;
  byId('bar').hidden = false;
  setText(byId('status'), 'The broadcast has ended. This is its recording.');
}

function clearFigures() {
  clearInterval(clock);
  setText(byId('running'), '');
  setText(byId('watching'), '');
  setText(byId('quality'), '');
  pausedAt = 0;
  showPause();
  for (const id of ['latency', 'resolution', 'bitrate', 'framerate', 'lost', 'dropped', 'rtt', 'codecs']) setText(byId(id), format.NONE);
  byId('unmute').hidden = true;
  byId('silent').hidden = true;
}

function onStats({detail: stats}) {
  setText(byId('latency'), stats.latency === null ? format.NONE : format.ms(stats.latency));
  const size = format.size(stats.width, stats.height);
  setText(byId('resolution'), size);
  setText(byId('quality'), size === format.NONE ? '' : `· ${size}`);
  // A picture that is higher than wide gets the height of the window.
  byId('theatre').toggleAttribute('data-portrait', video.videoHeight > video.videoWidth);
  setText(byId('bitrate'), format.bitrate(stats.bitrate));
  setText(byId('framerate'), format.fps(stats.fps));
  setText(byId('lost'), stats.packetsLost === null ? format.NONE : String(stats.packetsLost));
  setText(byId('dropped'), String(stats.framesDropped));
  setText(byId('rtt'), format.ms(stats.rtt));
  const codecs = [stats.videoCodec, stats.audioCodec].filter(Boolean).map(format.codec);
  setText(byId('codecs'), codecs.join(' · ') || format.NONE);
}

/** Offers what the browser held back: the sound, or everything. */
function offerTap(how) {
  byId('unmute').hidden = how === 'sound';
  setIcon(byId('unmute'), how === 'blocked' ? 'play' : 'sound');
  setText(byId('unmute-label'), how === 'blocked' ? 'Tap to play' : 'Tap for sound');
}

byId('name').append(streamName(name));
heading();
byId('unmute').addEventListener('click', () => {
  video.muted = false;
  byId('unmute').hidden = true;
  video.play().catch(() => offerTap('blocked'));
});
byId('retry').addEventListener('click', () => viewer.start());
video.addEventListener('loadeddata', lift);
video.addEventListener('resize', lift); // a picture that comes late
video.addEventListener('volumechange', () => {
  if (!video.muted) byId('unmute').hidden = true;
});
// Paused from outside (a headset, the system): the way back must be visible.
video.addEventListener('pause', () => {
  if (replay.playing) showPlay(true);
  else if (!pausedAt && viewer.state === 'live' && (video.srcObject?.active || video.src)) offerTap('blocked');
});
video.addEventListener('playing', () => {
  if (video.paused) return; // again, before this was told
  pausedAt = 0;
  showPause();
  if (!video.muted) byId('unmute').hidden = true;
});
video.addEventListener('play', () => replay.playing && showPlay(false));
playerControls(video, byId('theatre'), {toggle, toEdge, busy: () => video.paused || !byId('veil').hidden || !byId('unmute').hidden});
byId('share').addEventListener('click', async () => {
  const {share} = await import('./share.js');
  share(byId('share'), {url: location.href, title: stream?.title || name});
});
viewer.addEventListener('state', onState);
viewer.addEventListener('stats', onStats);
viewer.addEventListener('media', lift);
viewer.addEventListener('away', ({detail: away}) => {
  awayAt = away ? awayAt || Date.now() : 0;
  setText(byId('away-why'), away ? AWAY[viewer.awayReason ?? 'unknown'] : '');
  byId('away').hidden = !away;
  showAway();
});
viewer.addEventListener('paused', ({detail}) => {
  byId('paused').hidden = !detail;
});
viewer.addEventListener('autoplay', ({detail}) => offerTap(detail));
// Back from the browser's page cache: leaving had stopped the viewer.
addEventListener('pageshow', (event) => event.persisted && viewer.start());
addEventListener('pagehide', () => after.abort());
viewer.start();
lookForRecordings();
