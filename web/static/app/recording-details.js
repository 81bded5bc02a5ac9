import * as api from './api.js';
import {el, setText} from './dom.js';
import {qualityWords} from './quality-words.js';

/** How long a question stays open. */
const ASK_MS = 4000;

/**
 * What there is to know and to do about a recording whose player is open.
 *
 * @param {any} recording
 * @param {() => void} deleted called once it is gone
 */
export function details(recording, deleted) {
  const trouble = el('p', {class: 'note', 'data-tone': 'bad', role: 'alert', hidden: true});
  return el('div', {class: 'row-details'},
    el('p', {class: 'soft'}, qualityWords(recording)), deleteButton(recording, deleted, trouble), trouble);
}

/** Asks before it deletes, where the finger is already. */
function deleteButton(recording, deleted, trouble) {
  const button = el('button', {type: 'button', class: 'button', 'data-action': 'delete'}, 'Delete');
  let timer = 0;
  const calm = () => {
    clearTimeout(timer);
    timer = 0;
    delete button.dataset.tone;
    setText(button, 'Delete');
  };
  button.addEventListener('click', async () => {
    if (!timer) {
      timer = setTimeout(calm, ASK_MS);
      button.dataset.tone = 'bad';
      setText(button, 'Delete for good?');
      return;
    }
    calm();
    button.disabled = true;
    try {
      await api.deleteRecording(recording.id);
      deleted();
    } catch (problem) {
      setText(trouble, problem.message);
      trouble.hidden = false;
      button.disabled = false;
    }
  });
  return button;
}
