import {byId, setIcon, setText} from './dom.js';
import {clock} from './format.js';
import {hasLength} from './player-keys.js';

/** How long the bar stays without a sign of its user. */
const BAR_MS = 3000;

/**
 * The bar goes when there is no sign of the user, and comes with the next. A finger on
 * the picture takes it away, too.
 *
 * @param {HTMLVideoElement} video
 * @param {HTMLElement} theatre
 * @param {() => boolean} busy whether the bar has to stay
 */
export function hidingBar(video, theatre, busy) {
  const bar = byId('bar');
  let timer = 0;
  let shown = false;
  const show = () => {
    theatre.removeAttribute('data-quiet');
    clearTimeout(timer);
    timer = setTimeout(hide, BAR_MS);
  };
  const hide = () => {
    if (busy() || bar.matches(':hover') || bar.querySelector(':focus-visible')) show();
    else theatre.setAttribute('data-quiet', '');
  };
  theatre.addEventListener('pointerdown', ({pointerType}) => {
    shown = pointerType === 'touch' && !('quiet' in theatre.dataset);
  });
  for (const type of ['pointermove', 'pointerdown', 'focusin']) theatre.addEventListener(type, show);
  document.addEventListener('keydown', show);
  video.addEventListener('click', () => shown && hide());
  theatre.addEventListener('pointerleave', ({pointerType}) => pointerType === 'mouse' && hide());
  for (const type of ['pause', 'play']) video.addEventListener(type, show);
  show();
}

/**
 * Where a file plays, how long it is, and a slider to go elsewhere. For what has no
 * length there is neither.
 *
 * @param {HTMLVideoElement} video
 */
export function seekBar(video) {
  const seek = /** @type {HTMLInputElement} */ (byId('seek'));
  const show = () => {
    const file = hasLength(video);
    seek.hidden = !file;
    byId('time').hidden = !file;
    if (!file) return;
    const at = `${clock(video.currentTime * 1000)} / ${clock(video.duration * 1000)}`;
    seek.max = String(video.duration);
    seek.value = String(video.currentTime);
    seek.setAttribute('aria-valuetext', at.replace('/', 'of'));
    setText(byId('time'), at);
  };
  seek.addEventListener('input', () => {
    video.currentTime = Number(seek.value);
  });
  for (const type of ['timeupdate', 'durationchange', 'seeking', 'emptied']) video.addEventListener(type, show);
  show();
}

/** The button that plays says what it does. */
export function showPlay(paused) {
  const label = paused ? 'Play' : 'Pause';
  setIcon(byId('play'), paused ? 'play' : 'pause');
  setText(byId('play').querySelector('[data-label]'), label);
  byId('play').title = `${label} (K)`;
}
