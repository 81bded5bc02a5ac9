import {el, pageURL, reconcile, setText} from './dom.js';
import {clock, tracks, when} from './format.js';
import {distinctLabels} from './card-words.js';
import {goesOn} from './recording-row.js';

/**
 * Shows recordings as pictures with a line beneath.
 *
 * @param {Element} list
 * @param {any[]} recordings
 */
export function showShelf(list, recordings) {
  const date = ({started_at: started}) => when(started);
  const labels = distinctLabels(recordings, date);
  reconcile(list, recordings, {
    key: ({id}) => id,
    create: ({id}) => el('li', {},
      el('a', {class: 'shelf-item', href: pageURL(`recordings/${encodeURIComponent(id)}`)},
        el('span', {class: 'shelf-poster'}, el('bdi', {class: 'shelf-time figures'})),
        el('span', {class: 'shelf-what'}, el('span', {class: 'shelf-title', dir: 'auto'}), el('span', {class: 'quiet figures'}), el('span', {class: 'sr-only'})))),
    update: (item, recording) => {
      const at = (selector) => item.querySelector(selector);
      setText(at('.shelf-time'), goesOn(recording) ? 'Now' : clock(recording.duration_ms || NaN));
      setText(at('.shelf-title'), recording.title || when(recording.started_at));
      const figures = [recording.title && when(recording.started_at), tracks(recording.tracks).size];
      setText(at('.quiet'), figures.filter(Boolean).join(' · '));
      setText(at('.sr-only'), labels.get(recording.id).slice(date(recording).length)); // nothing where the date tells it from the others
      poster(at('.shelf-poster'), recording.poster);
    },
  });
}

function poster(place, src) {
  const shown = place.querySelector('img');
  if (!src) return shown?.remove();
  if (shown?.src === src) return;
  shown?.remove();
  place.prepend(el('img', {src, alt: '', loading: 'lazy', decoding: 'async', width: '320', height: '180'}));
}
