import {home} from '../client/home.js';

/**
 * Building elements. All text goes in as text: there is no way to pass markup.
 */
export const SVG = 'http://www.w3.org/2000/svg';

/** @param {string} id @returns {any} */
export const byId = (id) => document.getElementById(id);

/**
 * @param {string} tag
 * @param {Record<string, string | boolean | null | undefined>} [attributes]
 *   true sets an empty attribute; false, null and undefined leave it out
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {any}
 */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** A drawing of the sprite; it says nothing to a screen reader. */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', drawing(name));
  svg.append(use);
  return svg;
}

const drawing = (name) => new URL(`../img/icons.svg#${name}`, import.meta.url).href;

/** Changes which drawing an icon inside `parent` shows; setting the same again would load it again. */
export function setIcon(parent, name) {
  const use = parent.querySelector('use');
  const href = drawing(name);
  if (use.getAttribute('href') !== href) use.setAttribute('href', href);
}

/** Sets text only when it differs, so that live regions do not repeat it. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** A stream name whose leading parts recede: acme/**alice**. */
export function streamName(name) {
  const cut = name.lastIndexOf('/') + 1;
  return el('span', {class: 'name'},
    cut > 0 && el('span', {class: 'path'}, name.slice(0, cut)), name.slice(cut));
}

/**
 * A page of the server's, which may be below a path.
 *
 * @param {string} path without a slash in front
 * @returns {string}
 */
export const pageURL = (path) => new URL(path, home).href;

/** The page of a stream. */
export const watchURL = (name) => pageURL(`watch/${name.split('/').map(encodeURIComponent).join('/')}`);

/** The stream of a page whose URL watchURL made. */
export const watchedName = () =>
  location.pathname.slice(home.pathname.length + 'watch/'.length).split('/').map(decodeURIComponent).join('/');

/**
 * Makes the children of `parent` show `items`, keeping the elements that are
 * still wanted: focus, an open player and what a screen reader reads survive.
 *
 * @template T
 * @param {Element} parent
 * @param {T[]} items
 * @param {object} how
 * @param {(item: T) => string} how.key
 * @param {(item: T) => Element} how.create
 * @param {(node: any, item: T) => void} how.update called for new ones too
 */
export function reconcile(parent, items, {key, create, update}) {
  const old = new Map();
  for (const node of [...parent.children]) {
    if ('key' in node.dataset) old.set(node.dataset.key, node);
    else node.remove(); // what stood in while the list was loading
  }
  let previous = null;
  for (const item of items) {
    const id = key(item);
    const node = old.get(id) ?? create(item);
    node.dataset.key = id;
    old.delete(id);
    update(node, item);
    const place = previous ? previous.nextElementSibling : parent.firstElementChild;
    if (node !== place) parent.insertBefore(node, place);
    previous = node;
  }
  for (const node of old.values()) node.remove();
}
