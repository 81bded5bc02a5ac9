import {setText} from './dom.js';

/**
 * Makes a long text show its first lines, as the style says, and the rest when that is
 * wanted.
 *
 * @param {HTMLElement} text
 * @param {HTMLElement} more the button that shows the rest
 * @returns {() => void} to be called when the text is another one
 */
export function folding(text, more) {
  const fold = () => {
    const open = more.getAttribute('aria-expanded') === 'true';
    text.toggleAttribute('data-folded', !open);
    more.hidden = !open && text.scrollHeight <= text.clientHeight + 1;
    setText(more, open ? 'Show less' : 'Show more');
  };
  more.addEventListener('click', () => {
    more.setAttribute('aria-expanded', String(more.getAttribute('aria-expanded') !== 'true'));
    fold();
  });
  return fold;
}
