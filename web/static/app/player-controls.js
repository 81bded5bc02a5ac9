import {byId, setIcon, setText} from './dom.js';
import {hidingBar, seekBar} from './player-bar.js';
import {playerClicks, playerKeys} from './player-keys.js';

/**
 * Play, sound, theatre, picture in picture, full screen and statistics, by button, key and
 * click. Controls that the browser cannot serve are not offered.
 *
 * @param {HTMLVideoElement} video
 * @param {HTMLElement} theatre what goes full screen: the video and its bar
 * @param {object} how
 * @param {() => void} how.toggle    plays or pauses
 * @param {() => void} how.toEdge    goes to the live edge, or to the end
 * @param {() => boolean} how.busy   whether the bar has to stay
 */
export function playerControls(video, theatre, how) {
  sound(video);
  pictureInPicture(video);
  fullScreen(video, theatre);
  statistics();
  byId('play').addEventListener('click', how.toggle);
  byId('live').addEventListener('click', how.toEdge);
  byId('wide').addEventListener('click', () => widen(!('wide' in document.documentElement.dataset)));
  byId('keys-button').addEventListener('click', showKeys);
  seekBar(video);
  hidingBar(video, theatre, how.busy);
  playerClicks(video, how);
  playerKeys(video, how);
}

async function showKeys() {
  const before = /** @type {HTMLElement} */ (document.activeElement); // by a key, it is elsewhere
  const [{openDialog}, {addStyles}] = await Promise.all([import('./dialog.js'), import('./styles.js')]);
  await addStyles('dialog');
  openDialog(byId('keys'), before);
}

/** Theatre: the picture takes the width and the height of the window. */
function widen(wide) {
  document.documentElement.toggleAttribute('data-wide', wide);
  if (wide) byId('theatre').scrollIntoView();
  const button = byId('wide');
  setText(button.querySelector('[data-label]'), wide ? 'Leave theatre' : 'Theatre');
  button.title = `${wide ? 'Leave theatre' : 'Theatre'} (T)`;
}

/** Where the page has figures. */
function statistics() {
  const button = byId('details');
  const figures = byId('figures');
  button.hidden = !figures;
  button.addEventListener('click', () => {
    figures.hidden = !figures.hidden;
    button.setAttribute('aria-expanded', String(!figures.hidden));
  });
}

function sound(video) {
  const mute = byId('mute');
  const volume = byId('volume');
  mute.addEventListener('click', () => {
    video.muted = !video.muted;
    if (!video.muted && video.volume === 0) video.volume = 0.5;
  });
  volume.addEventListener('input', () => {
    video.volume = Number(volume.value);
    video.muted = video.volume === 0;
  });
  const show = () => {
    const silent = video.muted || video.volume === 0;
    setIcon(mute, silent ? 'muted' : 'sound');
    setText(mute.querySelector('[data-label]'), silent ? 'Unmute' : 'Mute');
    mute.title = silent ? 'Unmute (M)' : 'Mute (M)';
    volume.value = String(silent ? 0 : video.volume);
    volume.setAttribute('aria-valuetext', `${Math.round(volume.value * 100)} %`);
  };
  video.addEventListener('volumechange', show);
  show();
  // Where the volume is the device's alone (iOS), a slider would do nothing.
  const before = video.volume;
  video.volume = before === 1 ? 0.5 : 1;
  volume.hidden = video.volume === before;
  video.volume = before;
}

function pictureInPicture(video) {
  if (!document.pictureInPictureEnabled) return;
  const pip = byId('pip');
  pip.hidden = false;
  pip.addEventListener('click', () => {
    const done = document.pictureInPictureElement
      ? document.exitPictureInPicture()
      : video.requestPictureInPicture();
    done.catch(() => {}); // refused while there is no picture yet
  });
}

function fullScreen(video, theatre) {
  const button = byId('fullscreen');
  // iPhones can only show the bare video full screen.
  const bare = !document.fullscreenEnabled && video.webkitEnterFullscreen;
  if (!document.fullscreenEnabled && !bare) return;
  button.hidden = false;
  button.addEventListener('click', () => {
    if (bare) video.webkitEnterFullscreen();
    else if (document.fullscreenElement) document.exitFullscreen();
    else theatre.requestFullscreen().catch(() => {}); // refused by the embedder
  });
  document.addEventListener('fullscreenchange', () => {
    const full = document.fullscreenElement === theatre;
    setIcon(button, full ? 'shrink' : 'expand');
    const label = full ? 'Leave full screen' : 'Full screen';
    setText(button.querySelector('[data-label]'), label);
    button.title = `${label} (F)`;
  });
}
