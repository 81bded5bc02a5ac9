import * as api from './api.js';
import {byId} from './dom.js';
import {Capture} from './capture.js';
import {copyButton} from './copy.js';
import {explain} from './capture-words.js';
import {keepName, ownName} from './own-name.js';
import {Level} from './level.js';
import {nameProblem} from '../client/name.js';
import {poll} from './poll.js';
import {recordingOf, recordingPage} from './recording-of.js';
import {Publisher} from '../client/publisher.js';
import * as view from './publish-view.js';
import {forcedTransport} from './transport.js';

const VIEWERS_MS = 3000;

const capture = new Capture();
const level = new Level(byId('level'));
/** @type {Publisher | null} the broadcast going on */
let publisher = null;
/** @type {string | undefined} the recording the server makes of it */
let recording;
let stopPolling = () => {};
let after = new AbortController();

const microphone = () => byId('microphone').value;

/** Shows a picture from `source`; true when there is one. */
async function choose(source) {
  view.asking(source, Boolean(capture.video));
  try {
    if (source === 'camera') await capture.useCamera(byId('camera').value, microphone());
    else await capture.useScreen(microphone());
    return true;
  } catch (error) {
    view.trouble(explain(error, source), Boolean(capture.video));
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

async function goLive() {
  if (!checkName()) {
    byId('name').focus();
    return;
  }
  const source = byId('source-screen').getAttribute('aria-pressed') === 'true' ? 'screen' : 'camera';
  byId('toggle').disabled = true;
  const ready = Boolean(capture.video) || await choose(source);
  byId('toggle').disabled = false;
  if (!ready) return;
  after.abort();
  const name = byId('name').value.trim();
  keepName(name);
  recording = undefined;
  publisher = new Publisher({
    name, stream: capture.stream, record: byId('record').checked, transport: forcedTransport(),
  });
  publisher.addEventListener('state', onState);
  publisher.addEventListener('stats', ({detail}) => view.figures(detail));
  capture.live = true;
  publisher.start().catch(() => {}); // told by the state
}

function onState({detail: {state, previous, problem, fallbackReason}, target}) {
  if (target !== publisher) return;
  view.state(state, problem, {name: target.name, hasSound: Boolean(capture.audio)});
  view.fallback(state === 'ended' ? null : fallbackReason);
  if (state === 'live' && previous === 'connecting') {
    stopPolling = poll(VIEWERS_MS, () => lookAtStream(target));
  }
  if (state === 'ended' || state === 'failed') finish(target, state);
}

async function lookAtStream(target) {
  const stream = await api.stream(target.name).catch(() => null);
  if (!stream || target !== publisher) return;
  recording = stream.recording ?? recording;
  view.watching(stream.viewers);
}

async function finish(target, state) {
  stopPolling();
  publisher = null;
  capture.live = false;
  if (capture.source === 'screen') capture.release();
  // A sound that was only muted while live is let go of now.
  else if (microphone() === 'none' && capture.audio) capture.useMicrophone('none');
  if (state === 'failed' && !view.hasBeenLive()) return;
  if (!byId('record').checked) {
    view.afterwards('This broadcast was not recorded.');
    return;
  }
  after = new AbortController();
  const {signal} = after;
  view.afterwards('Finishing the recording…');
  const found = await recordingOf(target.name, signal, recording);
  if (signal.aborted) return;
  if (found) view.afterwards('Your recording is ready.', recordingPage(found));
  else view.afterwards('There is no recording of this broadcast.');
}

/** Sends what is captured now instead of what was captured before. */
async function exchange() {
  for (const track of [capture.video, capture.audio]) {
    if (!publisher || !track) continue;
    await publisher.replaceTrack(track).catch(() => {}); // it went out without sound
  }
}

function onCapture() {
  view.picture(capture);
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
  if (!capture.video) return;
  try {
    await capture.useMicrophone(microphone());
  } catch (error) {
    view.say(`${explain(error, 'microphone').title}.`, 'bad');
  }
}

/** With a permission given earlier the picture can come without a question. */
async function startIfAllowed() {
  const camera = await navigator.permissions?.query({name: 'camera'}).catch(() => null);
  if (camera?.state === 'granted' && !capture.video) await choose('camera');
}

byId('name').value = ownName();
checkName();
byId('name').addEventListener('input', checkName);
byId('source-camera').addEventListener('click', () => choose('camera'));
byId('source-screen').addEventListener('click', () => choose('screen'));
byId('enable').addEventListener('click', () => choose(byId('enable').dataset.source));
byId('camera').addEventListener('change', () => choose('camera'));
byId('microphone').addEventListener('change', onMicrophone);
byId('toggle').addEventListener('click', (event) => {
  if (event.detail > 1) return; // the second click of a double click
  if (publisher) publisher.stop();
  else goLive();
});
byId('form').addEventListener('submit', (event) => {
  event.preventDefault();
  if (!publisher) goLive();
});
copyButton(byId('share-copy'), () => byId('share-link').href);
capture.addEventListener('change', onCapture);
capture.addEventListener('ended', onEnded);
capture.addEventListener('silent', ({detail}) =>
  view.say(`${explain(detail, 'microphone').title}: your broadcast will be silent.`, 'bad'));
navigator.mediaDevices?.addEventListener('devicechange', () =>
  capture.list().then((devices) => view.devices(devices, capture)));

if (!navigator.mediaDevices) view.trouble(explain({name: 'InsecureContextError'}, 'camera'), false);
else {
  if (!navigator.mediaDevices.getDisplayMedia) view.noScreens();
  startIfAllowed();
}
