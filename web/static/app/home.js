import * as api from './api.js';
import {createRecordingCard, createStreamCard, recordingLabel, updateRecordingCard, updateStreamCard} from './card.js';
import {distinctLabels} from './card-words.js';
import {copyButton} from './copy.js';
import {byId, pageURL, reconcile, setText} from './dom.js';
import {count, sentence} from './format.js';
import {poll} from './poll.js';

const STREAMS_MS = 2000;
const RECORDINGS_MS = 5000;
/** Two rows of the widest window; narrower ones show fewer. */
const LATELY = 8;

function showStreams(list) {
  const live = list.filter((stream) => stream.state === 'live');
  const viewers = list.reduce((total, stream) => total + (stream.viewers ?? 0), 0);
  reconcile(byId('streams'), list, {key: (s) => s.name, create: createStreamCard, update: updateStreamCard});
  byId('streams').hidden = list.length === 0;
  byId('streams-empty').hidden = list.length > 0;
  setText(byId('summary'), live.length === 0 ? 'Nobody is broadcasting.' : count(live.length, 'broadcast'));
  // Not read aloud each time that it changes.
  setText(byId('watching'), live.length === 0 ? '' : `, ${viewers === 0 ? 'nobody watches yet' : count(viewers, 'viewer')}`);
}

function showRecordings(list) {
  const labels = distinctLabels(list, recordingLabel);
  reconcile(byId('recordings'), list, {
    key: (r) => r.id,
    create: createRecordingCard,
    update: (card, r) => updateRecordingCard(card, r, labels.get(r.id)),
  });
  byId('lately').hidden = list.length === 0;
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
    if (message) setText(byId('trouble'), `${sentence(message)} Trying again…`);
    byId('trouble').hidden = !message;
  };
}

/** What is still being recorded stands above, live. */
const lately = async () => (await api.recordingsPage({state: 'finished'}, LATELY)).recordings;

const whip = pageURL('whip/your-name');
setText(byId('whip-url'), whip);
copyButton(byId('whip-copy'), () => whip);
poll(STREAMS_MS, keep(api.streams, showStreams));
poll(RECORDINGS_MS, keep(lately, showRecordings));
