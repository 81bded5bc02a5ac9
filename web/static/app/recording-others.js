import {byId, el, pageURL} from './dom.js';
import {clock, when} from './format.js';
import {goesOn} from './recording-row.js';

/** How many are shown beside the picture. */
const SHOWN = 8;

/**
 * @param {any[]} list the other recordings of a name, newest first
 * @param {string} name
 * @param {boolean} more whether there are older ones
 */
export function showOthers(list, name, more) {
  byId('others').hidden = list.length === 0;
  byId('all-others').href = pageURL(`recordings?${new URLSearchParams({stream: name})}`);
  byId('all-others').hidden = list.length <= SHOWN && !more;
  byId('recordings').replaceChildren(...list.slice(0, SHOWN).map(({id, title, started_at: started, duration_ms: length, ...rest}) =>
    el('li', {}, el('a', {class: 'other', href: pageURL(`recordings/${encodeURIComponent(id)}`)},
      title && el('span', {class: 'other-title', dir: 'auto'}, title),
      el('bdi', {class: title ? 'quiet figures' : 'other-title figures'},
        el('span', {class: 'sr-only'}, `${new Date(started).toLocaleTimeString()}: `), [when(started), goesOn({state: rest.state}) ? 'live now' : clock(length || NaN)].join(' · '))))));
}
