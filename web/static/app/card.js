import {el, icon, pageURL, setText, streamName, watchURL} from './dom.js';
import {bytes, clock, count, NONE, tracks, when} from './format.js';
import {runningSince, spoken, stateWord} from './card-words.js';
import {goesOn} from './recording-row.js';

/**
 * A broadcast or a recording as a picture with a few lines beneath. The whole card is
 * one link; what else can be pressed lies over it.
 *
 * @param {string} href
 * @param {Record<string, string>} attributes of the list item
 * @param {string} heading what level its title is
 * @param {...Node} more what can be done with it besides
 * @returns {HTMLLIElement}
 */
function createCard(href, attributes, heading, ...more) {
  return el('li', {class: 'card', ...attributes},
    el('div', {class: 'card-picture'},
      el('span', {class: 'card-badge badge'}),
      el('span', {class: 'card-viewers figures', hidden: true}, icon('people'), el('bdi')),
      el('span', {class: 'card-time figures'}, el('bdi'))),
    el('div', {class: 'card-what'},
      el(heading, {class: 'card-title'},
        el('a', {class: 'card-link', href}, el('span', {class: 'card-text', dir: 'auto'}), el('span', {class: 'sr-only'}))),
      el('p', {class: 'card-name'}),
      el('p', {class: 'card-figures figures'}),
      ...more));
}

/** A card of what is live. */
export const createStreamCard = ({name}) => createCard(watchURL(name), {'data-stream': name}, 'h2');

/** A card of a recording, which leads to its page. */
export const createRecordingCard = ({id}, ...more) =>
  createCard(pageURL(`recordings/${encodeURIComponent(id)}`), {'data-recording': id}, 'h3', ...more);

export function updateStreamCard(card, stream) {
  const live = stream.state === 'live';
  const viewers = stream.viewers ?? 0;
  heading(card, stream, stream.name);
  badge(card, live ? 'live' : '', stateWord(stream.state));
  at(card, '.card-viewers').hidden = !live;
  setText(at(card, '.card-viewers bdi'), String(viewers));
  tick(card, Date.parse(stream.started_at));
  figures(card, tracks(stream.tracks).size, live ? `Since ${runningSince(stream.started_at)}` : '');
  say(card, [stream.title && stream.name, stateWord(stream.state), live && count(viewers, 'viewer')]);
  poster(at(card, '.card-picture'), stream.poster);
}

/**
 * @param {HTMLElement} card
 * @param {any} recording
 * @param {string} [label] what tells it from all others, said in place of date and length
 * @param {string} [date] as it is seen
 */
export function updateRecordingCard(card, recording, label = recordingLabel(recording), date = when(recording.started_at)) {
  const {state, stream} = recording;
  heading(card, recording, stream);
  badge(card, state, state === 'finished' ? '' : stateWord(state));
  card.dataset.state = state;
  if (goesOn(recording)) tick(card, Date.parse(recording.started_at));
  else {
    delete card.dataset.since;
    showTime(card, recording.duration_ms || NaN);
  }
  at(card, '.card-time').hidden = at(card, '.card-time').textContent === NONE;
  figures(card, date, tracks(recording.tracks).size, bytes(recording.bytes || NaN),
    ['gaps', 'poor'].includes(recording.quality?.verdict) && 'with gaps');
  say(card, [recording.title && stream, label]);
  poster(at(card, '.card-picture'), recording.poster);
}

/** What tells a recording from another one of the same name. */
export const recordingLabel = (recording) =>
  [`recorded ${when(recording.started_at)}`, spoken(recording.duration_ms)].filter(Boolean).join(', ');

const at = (card, selector) => card.querySelector(selector);

/** The title is what people read; the name, which is the address, is small print, or stands in for it. */
function heading(card, {title}, name) {
  const text = at(card, '.card-text');
  if (title) setText(text, title);
  else if (text.textContent !== name) text.replaceChildren(streamName(name));
  const small = at(card, '.card-name');
  small.hidden = !title;
  if (title && small.textContent !== name) small.replaceChildren(el('bdi', {dir: 'ltr'}, name));
}

function badge(card, kind, word) {
  const mark = at(card, '.card-badge');
  const classes = `card-badge badge ${kind}`;
  if (mark.className !== classes) mark.className = classes;
  setText(mark, word);
  mark.hidden = word === '';
}

/** Each figure is isolated, so that none is turned around in text that runs the other way. */
function figures(card, ...texts) {
  const shown = texts.filter((text) => text && text !== NONE);
  const place = at(card, '.card-figures');
  if (place.textContent === shown.join(' ')) return;
  place.replaceChildren(...shown.flatMap((text, n) => [n > 0 && ' ', el('span', {}, el('bdi', {}, text))].filter(Boolean)));
}

/** What a screen reader hears behind the title. */
function say(card, parts) {
  setText(at(card, '.card-link .sr-only'), parts.filter(Boolean).map((part) => `, ${part}`).join(''));
}

function showTime(card, ms) {
  setText(at(card, '.card-time bdi'), clock(ms));
}

/** From here on the card tells how long it runs. */
function tick(card, since) {
  card.dataset.since = String(since);
  showTime(card, Date.now() - since);
}

const TICK_MS = 1000;
setInterval(() => {
  if (document.hidden) return;
  for (const card of document.querySelectorAll('.card[data-since]')) showTime(card, Date.now() - Number(/** @type {HTMLElement} */ (card).dataset.since));
}, TICK_MS);

/**
 * Shows a picture, or the drawing that stands for it. A newer one takes the place of the
 * one that is shown when it is there: nothing flashes.
 *
 * @param {HTMLElement} place
 * @param {string} [src]
 */
function poster(place, src = '') {
  if ((place.dataset.poster ?? '') === src) return;
  place.dataset.poster = src;
  const shown = place.querySelector('img');
  if (!src) return shown?.remove();
  const next = el('img', {src, alt: '', loading: shown ? 'eager' : 'lazy', decoding: 'async', width: '640', height: '360'});
  next.addEventListener('error', () => next.remove(), {once: true});
  if (!shown) return place.prepend(next);
  next.decode().then(() => place.dataset.poster === src && shown.replaceWith(next), () => {});
}
