import {SVG, byId, el, setText} from './dom.js';
import {clock} from './format.js';
import {lacking, stretches} from './gaps.js';

/** Seconds that a key goes on by. */
const KEYS = {ArrowLeft: -5, ArrowDown: -5, ArrowRight: 5, ArrowUp: 5, PageDown: -60, PageUp: 60};
/** How long before a place a jump to it begins, in ms: what leads to it is seen, too. */
const AHEAD_MS = 1000;
/** How many places are listed until more are asked for. */
const FIRST = 8;

/**
 * The whole length of a recording as a line: where it plays, and where something is
 * missing. Its slider seeks.
 *
 * @param {HTMLVideoElement} video
 * @param {number} lengthMS as the server says, until the player knows
 * @param {import('./gaps.js').Place[]} list
 */
export function timeline(video, lengthMS, list) {
  const slider = byId('position');
  const length = () => (Number.isFinite(video.duration) && video.duration > 0 ? video.duration : lengthMS / 1000);
  const show = () => {
    const [now, all] = [Math.min(video.currentTime, length()), length()];
    slider.max = String(all);
    slider.value = String(now);
    const told = `${clock(now * 1000)} of ${clock(all * 1000)}`;
    if (slider.getAttribute('aria-valuetext') !== told) slider.setAttribute('aria-valuetext', told);
    setText(byId('now'), clock(now * 1000));
    setText(byId('length'), clock(all * 1000));
    byId('played').setAttribute('width', `${all > 0 ? (100 * now) / all : 0}%`);
  };
  const seek = (seconds) => {
    video.currentTime = Math.min(Math.max(0, seconds), length());
    show();
  };
  slider.addEventListener('input', () => seek(Number(slider.value)));
  slider.addEventListener('keydown', (event) => {
    const by = KEYS[event.key];
    if (!by || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    seek(video.currentTime + by);
  });
  for (const event of ['timeupdate', 'durationchange', 'seeking', 'seeked', 'loadedmetadata']) video.addEventListener(event, show);
  video.addEventListener('loadedmetadata', () => hatch(list, length()));
  hatch(list, length());
  show();
  byId('timeline').hidden = false;
}

/** Draws where something is missing. */
function hatch(list, seconds) {
  byId('missing').replaceChildren(...stretches(list, seconds * 1000).map(({from, to}) => {
    const mark = document.createElementNS(SVG, 'rect');
    mark.setAttribute('x', `${100 * from}%`);
    mark.setAttribute('width', `${100 * (to - from)}%`);
    mark.setAttribute('height', '100%');
    return mark;
  }));
}

/**
 * Lists the places, each a button that goes there.
 *
 * @param {HTMLVideoElement} video
 * @param {import('./gaps.js').Place[]} list
 * @param {number} more how many there are that nobody has noted
 */
export function gapList(video, list, more) {
  byId('gaps').hidden = list.length === 0;
  const all = byId('all-gaps');
  const fill = (shown) => {
    byId('gap-list').replaceChildren(...shown.map((place) => item(video, place)));
    all.hidden = shown.length === list.length;
    byId('gaps-more').hidden = !all.hidden || !(more > 0);
  };
  setText(all, `Show all ${list.length}`);
  all.addEventListener('click', () => {
    fill(list);
    byId('gap-list').children[FIRST].firstElementChild.focus();
  });
  setText(byId('gaps-more'), `There are ${more} more, of which only the number is known.`);
  fill(list.slice(0, list.length > FIRST + 1 ? FIRST : list.length));
}

function item(video, place) {
  const button = el('button', {type: 'button', class: 'gap', 'data-at': String(place.at)},
    el('span', {class: 'sr-only'}, 'Go to '), el('bdi', {class: 'gap-at figures'}, clock(place.at)), ' ',
    el('span', {dir: 'auto'}, lacking(place)));
  button.addEventListener('click', () => {
    video.currentTime = Math.max(0, place.at - AHEAD_MS) / 1000;
    video.scrollIntoView({block: 'nearest'});
  });
  return el('li', {}, button);
}
