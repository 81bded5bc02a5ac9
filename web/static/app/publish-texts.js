import {byId, setText} from './dom.js';
import {KINDS, plainTexts, room, textProblem} from '../client/texts.js';

/**
 * Title and description in the form of the publish page. While live they can be changed:
 * what is entered counts when its field is left, or upon Enter in the title.
 *
 * @typedef {import('../client/texts.js').Texts} Texts
 */
const HINTS = {title: 'Viewers read it instead of the name.', description: ''};
const WHEN = {title: 'Enter saves it.', description: 'It is saved when you leave the field.'};
/** From so few characters left on they are counted. */
const FEW = {title: 20, description: 200};

/** What viewers read by now. @type {Texts} */
let known = {title: '', description: ''};
/** Grows with each change: an answer that was asked for before one is out of date. */
let changes = 0;
/** What could not be said for now. @type {Set<'title' | 'description'>} */
const unsaid = new Set();
/** @type {((change: Partial<Texts>) => Promise<string>) | null} null: nothing is live */
let say = null;

/** What is entered. @returns {Texts} */
export const entered = () => plainTexts({title: byId('title').value, description: byId('description').value});

/** What is entered, but where that is too long what was said before. @returns {Texts} */
export function sayable() {
  const texts = entered();
  for (const kind of KINDS) if (textProblem(kind, texts[kind])) texts[kind] = known[kind];
  return texts;
}

function hint(kind, text, bad = false) {
  byId(kind).setAttribute('aria-invalid', String(bad));
  byId(`${kind}-hint`).dataset.tone = bad ? 'bad' : '';
  setText(byId(`${kind}-hint`), text);
}

/** How it stands with a field; true when it may be sent. */
function check(kind) {
  const text = entered()[kind];
  const wrong = textProblem(kind, text);
  const left = room(kind, text);
  setText(byId(`${kind}-left`), left <= FEW[kind] && !wrong ? `${left} left` : '');
  hint(kind, wrong || (say && text !== known[kind] ? WHEN[kind] : HINTS[kind]), wrong !== '');
  return !wrong;
}

/** Whether all may be sent; a field that is too long gets the focus. */
export function good() {
  const wrong = KINDS.find((kind) => !check(kind));
  if (!wrong) return true;
  if (wrong === 'description') byId('more').open = true;
  byId(wrong).focus();
  return false;
}

/** Fills the fields. @param {Texts} texts */
export function fill(texts) {
  for (const kind of KINDS) byId(kind).value = texts[kind];
  byId('more').open = texts.description !== '';
  KINDS.forEach(check);
}

/**
 * From here on what is entered is said of a broadcast.
 *
 * @param {(change: Partial<Texts>) => Promise<string>} how returns what to tell of it
 */
export function onAir(how) {
  say = how;
  known = entered();
  KINDS.forEach(check);
}

export function offAir() {
  say = null;
  unsaid.clear();
  KINDS.forEach(check);
}

/** @returns {() => boolean} whether an answer of the server that was asked for now is still up to date */
export function moment() {
  const before = changes;
  return () => before === changes && unsaid.size === 0;
}

/** Shows what the server says of the broadcast, but in a field in which something else is being entered. */
export function show(/** @type {Partial<Texts>} */ {title = '', description = ''}) {
  const now = {title, description};
  const behind = KINDS.filter((kind) => now[kind] !== known[kind] && entered()[kind] === known[kind]);
  known = now;
  for (const kind of behind) {
    byId(kind).value = now[kind];
    check(kind);
  }
}

/** Says what could not be said before. */
export function again() {
  for (const kind of unsaid) save(kind);
}

async function save(kind) {
  const text = entered()[kind];
  if (!say || !check(kind)) return;
  unsaid.delete(kind);
  if (text === known[kind]) return;
  changes++;
  try {
    const done = await say({[kind]: text});
    known = {...known, [kind]: text};
    if (entered()[kind] === text) hint(kind, done);
  } catch (problem) {
    if (problem.temporary) unsaid.add(kind);
    hint(kind, problem.temporary ? `${problem.message} It is tried again by itself.` : problem.message, true);
  } finally {
    changes++;
  }
}

for (const kind of KINDS) {
  byId(kind).addEventListener('input', () => check(kind));
  byId(kind).addEventListener('change', () => save(kind));
}
