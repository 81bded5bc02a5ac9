import * as api from './api.js';
import {createRecordingCard, recordingLabel, updateRecordingCard} from './card.js';
import {distinctLabels, group} from './card-words.js';
import {byId, el, pageURL, reconcile, setText} from './dom.js';
import {count, dayOf, sentence, timeOf, when} from './format.js';
import {poll} from './poll.js';
import {cardActions, updateActions} from './recording-actions.js';
import {addressOf, askedOf, inWords, meantBy, suggestions, textOf, wantedBy} from './recordings-query.js';
import {chooseView} from './recordings-view.js';

const LOOK_MS = 5000;
/** Typing rests for this long before it is looked for what was typed. */
const TYPING_MS = 250;
/** How many are added at a time, and the most that the API lists at once. */
const PAGE = 100;
const MOST = 1000;

let wanted = wantedBy(location.search);
let limit = PAGE;
/** Ids of those that look deleted already, and may come back. */
const deleted = new Set();
/** @type {{recordings: any[], more: boolean}} */
let found = {recordings: [], more: false};
/** @type {Set<string>} */
const names = new Set();

const createCard = (recording) => createRecordingCard(recording, cardActions(() => remove(recording.id)));

function show() {
  const list = found.recordings.filter(({id}) => !deleted.has(id));
  const labels = distinctLabels(list, recordingLabel);
  reconcile(byId('days'), [...group(list, ({started_at: started}) => dayOf(started))], {
    key: ([day]) => day,
    create: ([day]) => el('section', {class: 'day', 'aria-label': day}, el('h2', {}, el('bdi', {}, day)), el('ul', {class: 'cards'})),
    update: (section, [, recordings]) => reconcile(section.querySelector('.cards'), recordings, {
      key: ({id}) => id,
      create: createCard,
      update: (card, recording) => {
        updateRecordingCard(card, recording, labels.get(recording.id), timeOf(recording.started_at));
        updateActions(card, recording, labels.get(recording.id));
      },
    }),
  });
  byId('more').hidden = !found.more || limit >= MOST;
  showSummary(list.length);
}

function showSummary(n) {
  setText(byId('summary'), n === 0 ? '' : `${found.more ? 'The newest ' : ''}${count(n, 'recording')}${inWords(wanted)}`);
  byId('empty').hidden = n > 0;
  if (n > 0) return;
  const all = addressOf(wanted) === '';
  setText(byId('empty-title'), all ? 'No recordings yet' : 'Nothing found');
  setText(byId('empty-text'), all ? 'A broadcast is recorded from its first picture and listed here at once.'
    : `There is no recording${inWords(wanted)}${wanted.since || wanted.quality ? ' of that day and quality' : ''}. Show all of them, or look for something else.`);
}

/** Offers the names that are known, and what they are below. */
function suggest() {
  for (const {stream} of found.recordings) names.add(stream);
  reconcile(byId('names'), suggestions([...names]), {
    key: (name) => name,
    create: (name) => el('option', {value: name}),
    update: () => {},
  });
}

let looks = 0;

async function look() {
  const mine = ++looks;
  try {
    const answer = await api.recordingsPage(askedOf(wanted), limit);
    if (mine !== looks) return; // the answer to what is not asked any more
    found = answer;
    suggest();
    show();
    byId('trouble').hidden = true;
  } catch (problem) {
    if (mine !== looks) return;
    setText(byId('trouble'), `${sentence(problem.message)} Trying again…`);
    byId('trouble').hidden = false;
  }
}

/** It looks deleted at once; it is when there was time to take that back, or the page is left. */
async function remove(id) {
  const {undoable} = await import('./undo.js');
  const recording = found.recordings.find((r) => r.id === id);
  const back = () => {
    deleted.delete(id);
    show();
    focusOn(id);
  };
  deleted.add(id);
  show();
  undoable({
    said: 'Deleted.', what: `keep the recording of ${recording.title || recording.stream}, ${when(recording.started_at)}`,
    act: (how) => api.deleteRecording(id, how),
    done: () => focusOn(''),
    undone: back,
    failed: (problem) => {
      back();
      setText(byId('trouble'), `It could not be deleted. ${sentence(problem.message)}`);
      byId('trouble').hidden = false;
    },
  });
}

/** What had the focus is gone. */
function focusOn(id) {
  if (document.activeElement !== document.body) return;
  const card = [...document.querySelectorAll('[data-recording]')].find((c) => c instanceof HTMLElement && c.dataset.recording === id);
  const target = card?.querySelector('.card-link') ?? byId('heading');
  target.focus({preventScroll: true});
}

function fill() {
  byId('search').value = textOf(wanted);
  byId('since').value = wanted.since;
  byId('quality').value = wanted.quality;
  byId('clear').hidden = addressOf(wanted) === '';
}

function want(next) {
  wanted = next;
  limit = PAGE;
  history.replaceState(null, '', location.pathname + addressOf(wanted));
  byId('clear').hidden = addressOf(wanted) === '';
  void look();
}

function wantFields() {
  clearTimeout(typing);
  const text = byId('search').value;
  const meant = text === textOf(wanted) ? {} : meantBy(text, (name) => names.has(name));
  want({...wanted, ...meant, since: byId('since').value, quality: byId('quality').value});
}

let typing = 0;
byId('search').addEventListener('input', () => {
  clearTimeout(typing);
  typing = setTimeout(wantFields, TYPING_MS);
});
for (const id of ['since', 'quality']) byId(id).addEventListener('change', wantFields);
byId('filter').addEventListener('submit', (event) => {
  event.preventDefault();
  wantFields();
});
byId('clear').addEventListener('click', () => {
  want(wantedBy(''));
  fill();
  byId('search').focus({preventScroll: true});
});
byId('more').addEventListener('click', () => {
  limit = Math.min(MOST, limit + PAGE);
  void look();
});

/** Old links name a recording behind a #. */
function follow() {
  if (!/^#[\w-]+$/.test(location.hash) || location.hash === '#main') return false;
  location.replace(pageURL(`recordings/${location.hash.slice(1)}`));
  return true;
}

addEventListener('hashchange', follow);
// A page that had been left may show what was deleted meanwhile.
addEventListener('pageshow', (event) => event.persisted && void look());
if (!follow()) {
  fill();
  chooseView(byId('days'), byId('grid'), byId('list'));
  poll(LOOK_MS, look);
}
