import {setIcon, setText} from './dom.js';

/** How long the button tells that it worked. */
const SHOWN_MS = 2000;

/**
 * Makes `button` copy what `text` returns. Its label is in a child [data-label].
 *
 * @param {HTMLButtonElement} button
 * @param {() => string} text
 * @param {(() => string)} [plain] what it says at rest; without it, what it says now
 * @returns {() => void} to be called when `plain` says something else
 */
export function copyButton(button, text, plain) {
  const label = button.querySelector('[data-label]');
  const still = label.textContent;
  let timer = 0;
  const say = (words, drawing) => {
    label.textContent = words;
    setIcon(button, drawing);
  };
  const rest = () => {
    timer = 0;
    say(plain?.() ?? still, 'copy');
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
    timer = setTimeout(rest, SHOWN_MS);
  });
  return () => {
    if (!timer) setText(label, plain?.() ?? still);
  };
}
