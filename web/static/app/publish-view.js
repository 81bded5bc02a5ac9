import {byId, el, reconcile, setIcon, setText, watchURL} from './dom.js';
import * as format from './format.js';
import {NO_MICROPHONE} from './capture.js';
import {hold} from './publish-settings.js';
import {fallbackLine} from './transport.js';

/**
 * Everything the publish page shows. It holds no decisions: publish.js tells it
 * what happened.
 */
const root = document.documentElement;
/** Seconds of reduced quality before it is worth a word: every start climbs for a while. */
const LIMITED_TICKS = 8;
let liveAt = 0;
let limited = 0;
let clock = 0;
let wake = null;
let watched = 0;
/** Lost and sent by now. @type {[number, number | null]} */
let packets = [0, null];
/** @type {((values: (number | null)[]) => void) | null} */
let draw = null;

/** The line under the button. */
export function say(text, tone = '') {
  setText(byId('status'), text);
  byId('status').dataset.tone = tone;
}

function veil(title, text, action, source = 'camera') {
  setText(byId('veil-title'), title);
  setText(byId('veil-text'), text);
  setText(byId('enable'), action ?? '');
  byId('enable').hidden = !action;
  byId('enable').dataset.source = source;
  byId('veil').hidden = false;
}

/** The browser is asking its user. */
export function asking(source, hasPicture) {
  if (hasPicture) return;
  if (source === 'camera') veil('Asking for permission', 'The browser asks whether this page may use camera and microphone.');
  else if (source === 'sound') veil('Asking for permission', 'The browser asks whether this page may use the microphone.');
  else veil('Choose what to share', 'The browser shows its list of screens and windows.');
}

/** No picture came; with another one on show it goes on, with a word below. */
export function trouble({title, text}, hasPicture) {
  if (!hasPicture) veil(title, text, navigator.mediaDevices ? 'Try again' : null, chosenSource());
  say(`${title}.`, 'bad');
}

const SOURCES = ['camera', 'screen', 'sound'];

export const chosenSource = () => SOURCES.find((source) => byId(`source-${source}`).getAttribute('aria-pressed') === 'true');

export function sources(chosen) {
  for (const source of SOURCES) byId(`source-${source}`).setAttribute('aria-pressed', String(source === chosen));
  byId('camera').disabled = chosen !== 'camera';
}

/** What is sent keeps its kinds: while live a picture takes the place of a picture only. */
export function live({live: now, source}) {
  byId('source-sound').disabled = now && source !== 'sound';
  byId('source-camera').disabled = now && source === 'sound';
  byId('source-screen').disabled = noScreen || now && source === 'sound';
}

/** After a reload: browsers give out a screen only upon a click. */
export function shareAgain() {
  veil('Your broadcast is waiting', 'The page was loaded again. Share your screen again soon, and the broadcast goes on.', 'Share again', 'screen');
}

let noScreen = false;

export function noScreens() {
  noScreen = true;
  byId('source-screen').disabled = true;
  byId('source-screen').title = 'This browser cannot share a screen.';
}

/** @param {import('./capture.js').Capture} capture */
export function picture(capture) {
  const {video, source} = capture;
  const preview = byId('preview');
  // The same track again would make the preview blink.
  if (preview.srcObject?.getVideoTracks()[0] !== (video ?? undefined)) {
    preview.srcObject = video ? new MediaStream([video]) : null;
  }
  const facesAway = video?.getSettings().facingMode === 'environment';
  preview.toggleAttribute('data-mirrored', source === 'camera' && !facesAway);
  if (video) byId('veil').hidden = true;
  else if (source === 'sound') veil('Sound only', 'Your broadcast has no picture.');
  else veil('Your picture appears here', 'Nothing is sent until you go live.', 'Turn on camera');
  if (capture.ready && ['idle', 'failed'].includes(root.dataset.state)) say('Ready when you are.');
}

/** The buttons below the picture. @param {import('./capture.js').Capture} capture */
export function deck({audio, video, source, muted, dark}) {
  byId('deck').hidden = !audio && !video;
  byId('mute').hidden = !audio;
  byId('darken').hidden = !video;
  const thing = source === 'screen' ? 'Screen' : 'Camera';
  press(byId('mute'), muted, muted ? 'mic-off' : 'mic', muted ? 'Unmute' : 'Mute', 'M');
  press(byId('darken'), dark, dark ? 'camera-off' : source === 'screen' ? 'screen' : 'camera', `${thing} ${dark ? 'on' : 'off'}`, 'C');
  byId('dark').hidden = !dark || !video;
  setText(byId('dark').lastChild, `Your ${thing.toLowerCase()} is off`);
}

function press(button, off, drawing, label, key) {
  button.toggleAttribute('data-off', off);
  button.title = `${label} (${key})`;
  setIcon(button, drawing);
  setText(button.querySelector('[data-label]'), label);
}

/** Fills the pickers. Before permission the devices have no names. */
export function devices(list, {video, audio, source}) {
  fill(byId('camera'), list, 'videoinput', 'camera', source === 'camera' ? video : null);
  fill(byId('microphone'), list, 'audioinput', 'microphone', audio);
}

function fill(select, list, kind, word, track) {
  const found = list.filter((device) => device.kind === kind && device.label);
  const options = found.map(({deviceId, label}) => ({value: deviceId, label}));
  if (found.length === 0) options.push({value: '', label: `Default ${word}`});
  if (kind === 'audioinput') options.push({value: NO_MICROPHONE, label: 'No microphone'});
  const chosen = select.value;
  reconcile(select, options, {
    key: (option) => option.value,
    create: (option) => el('option', {value: option.value}, option.label),
    update: (node, option) => setText(node, option.label),
  });
  const inUse = chosen === NO_MICROPHONE ? chosen : (track?.getSettings().deviceId ?? chosen);
  if (options.some((option) => option.value === inUse)) select.value = inUse;
}

export function nameHint(wrong, name) {
  byId('name').setAttribute('aria-invalid', String(wrong !== ''));
  byId('name-hint').dataset.tone = wrong ? 'bad' : '';
  setText(byId('name-hint'), wrong || `Viewers open ${shown(watchURL(name))}`);
}

/** A URL as people read it. */
const shown = (url) => url.replace(/^https?:\/\//, '');

/** Mirrors the state of the Publisher. */
export function state(now, problem, {name, hasSound}) {
  root.dataset.state = now;
  const busy = now === 'connecting' || now === 'live' || now === 'reconnecting';
  toggle(now, busy);
  byId('name').disabled = busy;
  byId('name-hint').hidden = busy; // the link is below the picture
  hold(busy);
  byId('microphone').disabled = busy && !hasSound;
  byId('live').hidden = now !== 'live';
  byId('gauges').hidden = now !== 'live' && now !== 'reconnecting';
  const text = words(now, problem);
  say(text, now === 'failed' || now === 'reconnecting' ? 'bad' : '');
  if (now === 'connecting') reset();
  if (now === 'live') goOnAir(name);
  if (!busy) goOffAir();
}

/** What the broadcast is called while it is live. @param {import('../client/publisher.js').Publisher} target */
export function called({name, state: now, texts: {title}}) {
  document.title = now === 'live' ? `● ${title || name} is live: weir` : 'Go live: weir';
  const busy = now === 'live' || now === 'reconnecting';
  setText(byId('heading'), busy ? title || 'You are live' : 'Go live');
}

/** @param {Error | null} cause why it is not WebRTC */
export function fallback(cause) {
  setText(byId('fallback'), fallbackLine(cause, 'sending'));
  byId('fallback').hidden = !cause;
}

function words(now, problem) {
  switch (now) {
    case 'connecting': return 'Connecting…';
    case 'live': return 'You are live.';
    case 'reconnecting': return `${problem?.message ?? ''} Trying to come back…`.trim();
    case 'ended': return liveAt ? 'The broadcast has ended.' : 'Ready when you are.';
    case 'failed': return problem?.status === 409
      ? `This name is taken. ${problem.detail}`.trim()
      : problem?.message ?? 'That did not work.';
    default: return '';
  }
}

function toggle(now, busy) {
  setText(byId('toggle'), busy ? (now === 'connecting' ? 'Cancel' : 'Stop') : now === 'ended' && liveAt ? 'Go live again' : 'Go live');
  byId('toggle').classList.toggle('primary', !busy);
  byId('toggle').classList.toggle('stop', busy);
}

function reset() {
  liveAt = 0;
  limited = 0;
  watched = 0;
  packets = [0, null];
  draw = null;
  byId('after').hidden = true;
  for (const id of ['viewers', 'bitrate', 'loss', 'framerate', 'resolution']) setText(byId(id), format.NONE);
  setText(byId('elapsed'), '');
}

function goOnAir(name) {
  if (liveAt) return; // back after an interruption: the clock went on
  liveAt = Date.now();
  const tick = () => setText(byId('elapsed'), format.clock(Date.now() - liveAt));
  clock = setInterval(tick, 500);
  tick();
  const link = byId('share-link');
  link.href = watchURL(name);
  setText(link, shown(link.href));
  byId('share').hidden = false;
  // A phone that locks its screen would stop the camera. Refused on low battery.
  navigator.wakeLock?.request('screen').then((lock) => {
    if (clock) wake = lock;
    else lock.release();
  }, () => {});
}

function goOffAir() {
  clearInterval(clock);
  clock = 0;
  wake?.release();
  wake = null;
  byId('share').hidden = true;
}

export const hasBeenLive = () => liveAt !== 0;

/** Takes what draws those figures as lines that have one. */
export function drawWith(trends) {
  draw = trends(['viewers', 'bitrate', 'loss']);
}

/** @param {import('../client/send-stats.js').SendStats} stats */
export function figures(stats) {
  setText(byId('bitrate'), format.bitrate(stats.bitrate));
  setText(byId('framerate'), format.fps(stats.fps));
  setText(byId('resolution'), format.size(stats.width, stats.height));
  const lost = loss(stats);
  setText(byId('loss'), format.percent(lost));
  draw?.([watched, stats.bitrate, lost]);
  if (root.dataset.state !== 'live') return;
  limited = stats.limitedBy ? limited + 1 : 0;
  const why = {bandwidth: 'The network is slow, so quality is reduced.', cpu: 'This device is busy, so quality is reduced.'};
  say(`You are live. ${limited > LIMITED_TICKS ? why[stats.limitedBy] : ''}`.trim());
}

/** The part of the packets that was lost since the figures before; null where that is not known. */
function loss({packetsLost, packetsSent}) {
  const [lostBefore, sentBefore] = packets;
  packets = [packetsLost, packetsSent];
  const sent = packetsSent === null || sentBefore === null ? 0 : packetsSent - sentBefore;
  return sent > 0 ? Math.min(1, Math.max(0, (packetsLost - lostBefore) / sent)) : null;
}

export function watching(viewers) {
  watched = viewers ?? 0;
  setText(byId('viewers'), String(watched));
}
