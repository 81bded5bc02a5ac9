import {plainTexts} from '../client/texts.js';

/**
 * The title and the description a publisher comes with: those of the address, else those
 * that a broadcast of this name had last.
 *
 * @typedef {import('../client/texts.js').Texts} Texts
 */
const KEY = 'weir.texts';

/** @param {string} name @returns {Texts} */
export function ownTexts(name) {
  const asked = new URLSearchParams(location.search);
  if (asked.has('title') || asked.has('description')) {
    return plainTexts({title: asked.get('title') ?? '', description: asked.get('description') ?? ''});
  }
  const last = stored();
  return plainTexts(last?.name === name ? last : {});
}

/** Keeps them for the next visit; private modes may refuse. @param {string} name @param {Texts} texts */
export function keepTexts(name, {title, description}) {
  try {
    localStorage.setItem(KEY, JSON.stringify({name, title, description}));
  } catch {
    return;
  }
}

function stored() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? 'null');
  } catch {
    return null;
  }
}
