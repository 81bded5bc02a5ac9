import {el, pageURL, reconcile, setText} from './dom.js';
import {clock, tracks, when} from './format.js';
import {goesOn} from './recording-row.js';

/**
 * Shows recordings as pictures with a line beneath.
 *
 * @param {Element} list
 * @param {any[]} recordings
 */
export function showShelf(list, recordings) {
  reconcile(list, recordings, {
    key: ({id}) => id,
    create: ({id}) => el('li', {},
      el('a', {class: 'shelf-item', href: pageURL(`recordings/${encodeURIComponent(id)}`)},
        el('span', {class: 'shelf-poster'}, el('bdi', {class: 'shelf-time figures'})),
        el('span', {class: 'shelf-what'}, el('span', {class: 'shelf-title', dir: 'auto'}), el('span', {class: 'quiet figures'})))),
    update: (item, recording) => {
      const at = (selector) => item.querySelector(selector);
      setText(at('.shelf-time'), goesOn(recording) ? 'Now' : clock(recording.duration_ms || NaN));
      setText(at('.shelf-title'), recording.title || when(recording.started_at));
      const figures = [recording.title && when(recording.started_at), tracks(recording.tracks).size];
      setText(at('.quiet'), figures.filter(Boolean).join(' · '));
      poster(at('.shelf-poster'), recording.poster);
    },
  });
}

function poster(place, path) {
  const shown = place.querySelector('img');
  if (!path) return shown?.remove();
  const src = pageURL(path.replace(/^\//, ''));
  if (shown?.src === src) return;
  shown?.remove();
  place.prepend(el('img', {src, alt: '', loading: 'lazy', decoding: 'async', width: '320', height: '180'}));
}
