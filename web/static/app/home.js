import * as api from './api.js';
import {byId, el, icon, pageURL, reconcile, setText, streamName, watchURL} from './dom.js';
import {count, NONE, since, tracks} from './format.js';
import {copyButton} from './copy.js';
import {createRow, updateRow} from './recording-row.js';
import {poll} from './poll.js';

const STREAMS_MS = 2000;
const RECORDINGS_MS = 5000;
const LATELY = 6;

function createCard(stream) {
  return el('li', {class: 'card', 'data-stream': stream.name},
    el('div', {class: 'card-water ripple moving'}),
    el('p', {class: 'card-top'}, el('span', {class: 'badge'}),
      el('span', {class: 'card-since figures'})),
    el('h2', {}, el('a', {class: 'card-link', href: watchURL(stream.name)}, streamName(stream.name))),
    el('p', {class: 'card-figures figures'},
      el('span', {class: 'card-viewers'}, icon('people'), el('span', {'data-figure': 'viewers'})),
      el('span', {'data-figure': 'size'}),
      el('span', {'data-figure': 'codecs'})));
}

function updateCard(card, stream) {
  const at = (selector) => card.querySelector(selector);
  const live = stream.state === 'live';
  const shape = tracks(stream.tracks);
  at('.badge').className = live ? 'badge live' : 'badge';
  setText(at('.badge'), live ? 'Live' : 'Starting');
  setText(at('.card-since'), since(stream.started_at));
  setText(at('[data-figure="viewers"]'), count(stream.viewers ?? 0, 'viewer'));
  // Of a broadcast that is only starting nothing is known yet.
  setText(at('[data-figure="size"]'), shape.size === NONE ? '' : shape.size);
  setText(at('[data-figure="codecs"]'), shape.codecs === NONE ? '' : shape.codecs);
}

function showStreams(list) {
  const live = list.filter((stream) => stream.state === 'live');
  const viewers = list.reduce((total, stream) => total + (stream.viewers ?? 0), 0);
  reconcile(byId('streams'), list, {key: (s) => s.name, create: createCard, update: updateCard});
  byId('streams').hidden = list.length === 0;
  byId('streams-empty').hidden = list.length > 0;
  setText(byId('summary'), live.length === 0 ? 'Nobody is broadcasting.'
    : `${count(live.length, 'broadcast')}, ${count(viewers, 'viewer')}`);
}

function showRecordings(list) {
  reconcile(byId('recordings'), list.slice(0, LATELY), {
    key: (r) => r.id,
    create: (r) => createRow(r, el('a', {href: pageURL(`recordings#${encodeURIComponent(r.id)}`), 'data-action': 'play'},
      icon('play'), el('span', {class: 'sr-only'}, `Play the recording of ${r.stream}`))),
    update: updateRow,
  });
  byId('recordings').hidden = list.length === 0;
  byId('recordings-empty').hidden = list.length > 0;
}

/** By list, why it could not be read; one that works must not hide the other's trouble. */
const troubles = new Map();

/** Reads a list; while the server does not answer, what was shown stays. */
function keep(read, show) {
  return async () => {
    try {
      show(await read());
      troubles.delete(show);
    } catch (problem) {
      troubles.set(show, problem.message);
    }
    const [message] = troubles.values();
    if (message) setText(byId('trouble'), `${message} Trying again…`);
    byId('trouble').hidden = !message;
  };
}

const whip = pageURL('whip/your-name');
setText(byId('whip-url'), whip);
copyButton(byId('whip-copy'), () => whip);
poll(STREAMS_MS, keep(api.streams, showStreams));
poll(RECORDINGS_MS, keep(() => api.recordings(), showRecordings));
