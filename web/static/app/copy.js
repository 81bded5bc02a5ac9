import {setIcon} from './dom.js';

/** How long the button tells that it worked. */
const SHOWN_MS = 2000;

/**
 * Makes `button` copy what `text` returns. Its label is in a child [data-label].
 *
 * @param {HTMLButtonElement} button
 * @param {() => string} text
 */
export function copyButton(button, text) {
  const label = button.querySelector('[data-label]');
  const plain = label.textContent;
  let timer = 0;
  const say = (words, drawing) => {
    label.textContent = words;
    setIcon(button, drawing);
  };
  button.addEventListener('click', async () => {
    clearTimeout(timer);
    try {
      // Absent outside secure contexts, where the text can be selected instead.
      await navigator.clipboard.writeText(text());
      say('Copied', 'check');
    } catch {
      say('Select it to copy', 'alert');
    }
    timer = setTimeout(() => say(plain, 'copy'), SHOWN_MS);
  });
}
