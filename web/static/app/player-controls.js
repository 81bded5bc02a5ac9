import {byId, setIcon, setText} from './dom.js';

/**
 * Mute, volume, picture in picture, full screen and details, by button and
 * key. Controls that the browser cannot serve are not offered.
 *
 * @param {HTMLVideoElement} video
 * @param {HTMLElement} theatre what goes full screen: the video and its bar
 */
export function playerControls(video, theatre) {
  sound(video);
  pictureInPicture(video);
  fullScreen(video, theatre);
  byId('details').addEventListener('click', () => {
    const open = byId('figures').hidden;
    byId('figures').hidden = !open;
    byId('details').setAttribute('aria-expanded', String(open));
  });
  keys({m: 'mute', f: 'fullscreen', p: 'pip', d: 'details'});
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
    setText(button.querySelector('[data-label]'), full ? 'Leave full screen' : 'Full screen');
  });
}

function keys(map) {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const button = byId(map[event.key.toLowerCase()] ?? '');
    if (button && !button.hidden) button.click();
  });
}
