import * as api from './api.js';
import {byId} from './dom.js';
import {Capture, NO_MICROPHONE} from './capture.js';
import {copyButton} from './copy.js';
import {explain} from './capture-words.js';
import {keepName, ownName} from './own-name.js';
import {letterOf} from './letter-of.js';
import {Level} from './level.js';
import {nameProblem} from '../client/name.js';
import {poll} from './poll.js';
import {forgetLive, keepLive, leftLive} from './left-live.js';
import {keepTexts, ownTexts} from './own-texts.js';
import {Publisher} from '../client/publisher.js';
import * as settings from './publish-settings.js';
import * as texts from './publish-texts.js';
import * as view from './publish-view.js';

const VIEWERS_MS = 3000;

const capture = new Capture();
const level = new Level(byId('main'));
/** @type {Publisher | null} the broadcast going on */
let publisher = null;
/** @type {string | undefined} the recording the server makes of it */
let recording;
let stopPolling = () => {};
let after = new AbortController();
/** What tells of the end. @type {Promise<typeof import('./afterwards.js')> | null} */
let telling = null;
let chosenMicrophone = '';
/** What was live when the page was left by a reload, until it goes on. */
let left = leftLive();

const microphone = () => byId('microphone').value;

/** Captures from `source`; true when there is something to send. The ids are of devices. */
async function choose(source, camera = byId('camera').value, sound = microphone()) {
  view.asking(source, capture.ready);
  try {
    if (source === 'camera') await capture.useCamera(camera, sound);
    else if (source === 'screen') await capture.useScreen(sound);
    else await capture.useSound(sound);
    return true;
  } catch (error) {
    view.trouble(explain(error, source === 'sound' ? 'microphone' : source), capture.ready);
    return false;
  } finally {
    view.sources(capture.source ?? source);
  }
}

function checkName() {
  const wrong = nameProblem(byId('name').value.trim());
  view.nameHint(wrong, byId('name').value.trim());
  return wrong === '';
}

/** @param {string | null} [replaces] the session of this broadcast before the page was loaded again */
async function goLive(replaces = null) {
  if (publisher || byId('toggle').disabled) return; // a key does not know what the button does
  if (!checkName()) {
    byId('name').focus();
    return;
  }
  if (!texts.good()) return;
  byId('toggle').disabled = true;
  const ready = capture.ready || await choose(view.chosenSource());
  byId('toggle').disabled = false;
  if (!ready) return;
  const name = byId('name').value.trim();
  // Whatever was pressed to go on: it is the same broadcast.
  replaces ??= left?.name === name ? left.session : null;
  left = null;
  after.abort();
  keepName(name);
  keepTexts(name, texts.entered());
  recording = undefined;
  publisher = new Publisher({
    name, stream: capture.stream, replaces, stays: true, ...settings.options(), ...texts.entered(),
  });
  publisher.addEventListener('state', onState);
  publisher.addEventListener('stats', ({detail}) => view.figures(detail));
  publisher.addEventListener('stats', onCodec);
  capture.live = true;
  view.live(capture);
  texts.onAir(describe);
  publisher.start().catch(() => {}); // told by the state
}

function onState({detail: {state, previous, problem, fallbackReason}, target}) {
  if (target !== publisher) return;
  view.state(state, problem, {name: target.name, hasSound: Boolean(capture.audio)});
  view.called(target);
  view.fallback(state === 'ended' ? null : fallbackReason);
  if (state === 'live' && previous === 'connecting') {
    telling = import('./afterwards.js'); // now: at the end the server may be gone
    import('./trends.js').then(({trends}) => view.drawWith(trends), () => {}); // figures do without
    stopPolling = poll(VIEWERS_MS, () => lookAtStream(target));
  }
  if (state === 'ended' || state === 'failed') finish(target, state);
}

/** The server makes pictures of VP8 itself. Of other codecs it wants some: the code for that is seldom needed. */
async function onCodec({detail: {videoCodec}, target}) {
  if (!videoCodec) return; // not known yet, or there is no picture
  target.removeEventListener('stats', onCodec);
  if (videoCodec === 'vp8') return;
  const {sendPosters} = await import('../client/own-poster.js');
  sendPosters(target, byId('preview'), () => Boolean(capture.video) && !capture.dark);
}

async function lookAtStream(target) {
  const upToDate = texts.moment();
  const stream = await api.stream(target.name).catch(() => null);
  if (!stream || target !== publisher) return;
  recording = stream.recording ?? recording;
  view.watching(stream.viewers);
  if (!upToDate()) return texts.again();
  texts.show(stream);
  target.described(stream);
  view.called(target);
}

/** Changes what is said of the broadcast that goes on; returns what to tell of it. */
async function describe(change) {
  const target = publisher;
  await target.describe(change);
  keepTexts(target.name, target.texts);
  view.called(target);
  return target.state === 'live' ? 'Saved.' : 'Viewers see it as soon as you are live.';
}

async function finish(target, state) {
  stopPolling();
  publisher = null;
  forgetLive();
  texts.offAir();
  capture.live = false;
  view.live(capture);
  if (capture.source === 'screen') capture.release();
  // A sound that was only muted while live is let go of now.
  else if (microphone() === 'none' && capture.audio) capture.useMicrophone('none');
  if (!view.hasBeenLive()) return; // it was cancelled, or failed: there is nothing to tell of
  after = new AbortController();
  const {afterwards} = await telling;
  afterwards({name: target.name, title: target.texts.title, record: byId('record').checked, recording}, after.signal);
}

async function onDarken() {
  if (!capture.dark) return capture.darken();
  try {
    await capture.lighten(byId('camera').value, microphone());
  } catch (error) {
    view.say(`${explain(error, 'camera').title}.`, 'bad');
  }
}

/** Sends what is captured now instead of what was captured before. */
async function exchange() {
  for (const track of [capture.picture, capture.audio]) {
    if (!publisher || !track) continue;
    await publisher.replaceTrack(track).catch(() => {}); // it went out without sound
  }
}

function onCapture() {
  view.picture(capture);
  view.deck(capture);
  level.show(capture.audio);
  capture.list().then((devices) => view.devices(devices, capture));
  exchange();
}

function onEnded({detail: what}) {
  if (what === 'screen') {
    publisher?.stop();
    capture.release();
  } else if (what === 'camera') {
    capture.release({keepSound: true});
    view.trouble({title: 'The camera was disconnected', text: 'Connect it again or choose another.'}, false);
  } else {
    view.say('The microphone was disconnected. Choose another.', 'bad');
  }
}

async function onMicrophone() {
  const was = chosenMicrophone;
  chosenMicrophone = microphone();
  if (!capture.ready) return;
  if (was === NO_MICROPHONE) capture.muted = false;
  try {
    await capture.useMicrophone(microphone());
  } catch (error) {
    view.say(`${explain(error, 'microphone').title}.`, 'bad');
  }
}

const allowed = async (name) => (await navigator.permissions?.query({name}).catch(() => null))?.state === 'granted';

/** With a permission given earlier the picture can come without a question. */
async function startIfAllowed() {
  if (await allowed('camera') && !capture.ready) await choose('camera');
}

/**
 * Goes on with what was live before the page was loaded again: a screen after the click that
 * browsers want for one.
 */
async function goOn() {
  byId('name').value = left.name;
  byId('record').checked = left.record;
  checkName();
  texts.fill(left);
  view.sources(left.source);
  if (left.source === 'screen') {
    view.shareAgain();
    return;
  }
  const {session, source, camera, microphone: sound, muted, dark} = left;
  capture.muted = muted;
  // Asking is as good as having been allowed: Firefox forgets what was, and asks again.
  const ready = await choose(source, camera, sound);
  if (ready && dark) capture.darken();
  if (ready) await goLive(session);
  else left = null;
}

async function onEnable() {
  const {source} = byId('enable').dataset;
  const session = left?.session ?? null;
  if (await choose(source) && session) await goLive(session);
}

function onLeave() {
  if (!publisher?.session) return;
  keepLive({
    name: publisher.name, ...texts.sayable(), session: publisher.session,
    record: byId('record').checked, source: capture.source,
    camera: byId('camera').value, microphone: microphone(), muted: capture.muted, dark: capture.dark,
  });
}

/** A question that the browser words itself. */
function beforeLeaving(event) {
  if (publisher) event.preventDefault();
}

function onKey(event) {
  if (event.key === 'Enter' && event.ctrlKey && !event.repeat) goLive();
  if (event.ctrlKey || event.metaKey || event.altKey || event.getModifierState?.('AltGraph') || event.repeat) return;
  if (/^(input|select|textarea)$/i.test(event.target.tagName)) return;
  const button = byId({m: 'mute', c: 'darken'}[letterOf(event)] ?? '');
  if (button?.checkVisibility()) button.click();
}

settings.restore();
capture.lines = settings.lines();
byId('name').value = ownName();
checkName();
byId('name').addEventListener('input', checkName);
texts.fill(ownTexts(byId('name').value));
byId('source-camera').addEventListener('click', () => choose('camera'));
byId('source-screen').addEventListener('click', () => choose('screen'));
byId('source-sound').addEventListener('click', () => choose('sound'));
byId('enable').addEventListener('click', onEnable);
byId('mute').addEventListener('click', () => {
  capture.muted = !capture.muted;
});
byId('darken').addEventListener('click', onDarken);
document.addEventListener('keydown', onKey);
addEventListener('beforeunload', beforeLeaving);
addEventListener('pagehide', onLeave, {capture: true}); // before the publisher lets go of its session
// Back from the browser's page cache: leaving had let go of the broadcast, and a new page goes on with it.
addEventListener('pageshow', ({persisted}) => {
  if (!persisted || !publisher) return;
  publisher = null; // no question
  location.reload();
});
byId('camera').addEventListener('change', () => choose('camera'));
byId('microphone').addEventListener('change', onMicrophone);
byId('quality').addEventListener('change', () => {
  capture.lines = settings.lines();
  if (capture.source === 'camera') choose('camera');
});
byId('toggle').addEventListener('click', (event) => {
  if (event.detail > 1) return; // the second click of a double click
  if (publisher) publisher.stop();
  else goLive();
});
byId('form').addEventListener('submit', (event) => {
  event.preventDefault();
  goLive();
});
copyButton(byId('share-copy'), () => byId('share-link').href);
byId('share-more').addEventListener('click', async () => {
  const {share} = await import('./share.js');
  share(byId('share-more'), {url: byId('share-link').href, title: publisher?.texts.title || publisher?.name});
});
capture.addEventListener('change', onCapture);
capture.addEventListener('ended', onEnded);
capture.addEventListener('silent', ({detail}) =>
  view.say(`${explain(detail, 'microphone').title}: your broadcast will be silent.`, 'bad'));
navigator.mediaDevices?.addEventListener('devicechange', () =>
  capture.list().then((devices) => view.devices(devices, capture)));

if (!navigator.mediaDevices) view.trouble(explain({name: 'InsecureContextError'}, 'camera'), false);
else {
  if (!navigator.mediaDevices.getDisplayMedia) view.noScreens();
  if (left) goOn();
  else startIfAllowed();
}
