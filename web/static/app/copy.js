import {el, setIcon, setText} from './dom.js';

/** How long the button tells that it worked. */
const SHOWN_MS = 2000;

/** @returns {Promise<boolean>} whether the text is in the clipboard now */
async function copied(text, button) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copiedBySelection(text, button);
  }
}

/** Outside of secure contexts, as on most home networks, only what is selected can be copied. */
function copiedBySelection(text, button) {
  const field = el('textarea', {class: 'sr-only', readonly: true, tabindex: '-1', 'aria-hidden': 'true'});
  field.value = text;
  button.after(field); // in the same dialog, if it is in one: what is outside cannot be selected
  field.focus({preventScroll: true});
  field.select();
  const done = document.execCommand('copy');
  field.remove();
  button.focus();
  return done;
}

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
  // Beside the button: its label may change each second, and only the outcome is to be read aloud.
  const aloud = el('span', {class: 'sr-only', role: 'status'});
  button.after(aloud);
  let timer = 0;
  const show = (words, drawing) => {
    label.textContent = words;
    setIcon(button, drawing);
  };
  const rest = () => {
    timer = 0;
    aloud.textContent = '';
    show(plain?.() ?? still, 'copy');
  };
  button.addEventListener('click', async () => {
    clearTimeout(timer);
    const [words, drawing] = await copied(text(), button) ? ['Copied', 'check'] : ['Select it to copy', 'alert'];
    show(words, drawing);
    aloud.textContent = words;
    timer = setTimeout(rest, SHOWN_MS);
  });
  return () => {
    if (!timer) setText(label, plain?.() ?? still);
  };
}
