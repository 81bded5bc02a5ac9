import {el, icon, setText, watchURL} from './dom.js';
import {downloadPath, goesOn, playable} from './recording-row.js';

/**
 * What can be done with a recording from its card: a menu behind a button where cards
 * are pictures, a row of buttons where they are a list.
 *
 * @param {() => void} remove
 */
export function cardActions(remove) {
  const item = (tag, action, drawing, word, attributes = {}) =>
    el(tag, {class: 'card-action', 'data-action': action, title: word, ...attributes}, icon(drawing), el('span', {class: 'card-action-word'}, word), el('span', {class: 'sr-only'}));
  const menu = el('div', {class: 'card-menu'},
    item('a', 'watch', 'play', 'Watch live'),
    item('a', 'download', 'download', 'Download', {download: true}),
    item('button', 'delete', 'bin', 'Delete', {type: 'button'}));
  const more = el('button', {class: 'card-more', type: 'button', 'aria-expanded': 'false', title: 'More'}, icon('more'), el('span', {class: 'sr-only'}));
  const actions = el('div', {class: 'card-actions'}, more, menu);
  disclose(actions, more, menu);
  menu.querySelector('[data-action="delete"]').addEventListener('click', remove);
  return actions;
}

/**
 * @param {Element} card
 * @param {any} recording
 * @param {string} label what tells it from all others
 */
export function updateActions(card, recording, label) {
  const at = (action) => card.querySelector(`[data-action="${action}"]`);
  const what = `: ${recording.title || recording.stream}, ${label}`;
  setText(card.querySelector('.card-more .sr-only'), `More${what}`);
  for (const action of ['watch', 'download', 'delete']) setText(at(action).querySelector('.sr-only'), what);
  const ready = playable(recording);
  at('watch').hidden = !goesOn(recording);
  at('watch').href = watchURL(recording.stream);
  at('download').hidden = !ready;
  if (ready) at('download').href = downloadPath(recording);
  at('delete').hidden = goesOn(recording);
}

/** Opens and closes the menu; whatever takes the focus away closes it too. */
function disclose(actions, more, menu) {
  const set = (open) => {
    actions.toggleAttribute('data-open', open);
    more.setAttribute('aria-expanded', String(open));
  };
  more.addEventListener('click', () => set(!actions.hasAttribute('data-open')));
  menu.addEventListener('click', () => set(false));
  actions.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !actions.hasAttribute('data-open')) return;
    set(false);
    more.focus();
  });
  actions.addEventListener('focusout', ({relatedTarget}) => {
    if (!actions.contains(relatedTarget)) set(false);
  });
}

/** A press beside it takes the focus of browsers that give a button none. One for all cards: they come and go. */
addEventListener('pointerdown', ({target}) => {
  for (const actions of document.querySelectorAll('.card-actions[data-open]')) {
    if (actions.contains(/** @type {Node} */ (target))) continue;
    actions.removeAttribute('data-open');
    actions.querySelector('.card-more').setAttribute('aria-expanded', 'false');
  }
});
