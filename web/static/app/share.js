import {copyButton} from './copy.js';
import {openDialog} from './dialog.js';
import {el, icon, pageURL} from './dom.js';
import {clock} from './format.js';
import {linkAt} from './start-at.js';
import {addStyles} from './styles.js';

/** The width of a code, in CSS pixels: at least this, so that a camera reads it from an arm's length. */
const CODE_PX = 192;
/** Pixels of a module in what the server draws. */
const DRAWN_PX = 8;

let open = false;

/**
 * Opens what a link is shared with: the link to copy, its QR code, and the system's own
 * sheet where the browser has one. Pages import this module when it is asked for:
 *
 *     button.addEventListener('click', async () => {
 *       const {share} = await import('./share.js');
 *       share(button, {url: location.href, title: 'A talk'});
 *     });
 *
 * @param {HTMLElement} button  what was pressed; it has the focus again afterwards
 * @param {object} what
 * @param {string} what.url     whole address of a page of this server
 * @param {string} [what.title] what it is called, for people
 * @param {number} [what.at]    seconds into it: offers a link that begins there. Below 1: from the start
 * @returns {Promise<void>} when it is open
 */
export async function share(button, {url, title = '', at = 0}) {
  if (open) return;
  open = true;
  await addStyles('dialog', 'share');
  const dialog = build(url, title, at);
  document.body.append(dialog);
  dialog.addEventListener('close', () => {
    dialog.remove();
    open = false;
  });
  openDialog(dialog, button);
}

function build(url, title, at) {
  const close = el('button', {type: 'button', class: 'button bare square', 'aria-label': 'Close', title: 'Close (Esc)'}, icon('close'));
  const field = el('input', {class: 'input', readonly: true, dir: 'ltr', id: 'share-field', spellcheck: 'false'});
  const copy = el('button', {type: 'button', class: 'button primary', autofocus: true},
    icon('copy'), el('span', {'data-label': true}, 'Copy link'));
  const code = qrCode();
  const begin = at >= 1 && el('input', {type: 'checkbox', role: 'switch'});
  const link = () => linkAt(url, begin && begin.checked ? at : 0);
  const show = () => {
    field.value = link();
    code.show(link());
  };
  const dialog = el('dialog', {class: 'sharing', 'aria-labelledby': 'share-heading'},
    el('div', {class: 'dialog-head'}, el('h2', {id: 'share-heading'}, 'Share'), close),
    code.node,
    el('div', {class: 'sharing-link'},
      title && el('p', {class: 'sharing-title name', dir: 'auto'}, title),
      el('div', {class: 'field'}, el('label', {for: 'share-field'}, 'Link'), field),
      begin && el('label', {class: 'switch'},
        el('span', {class: 'legend number', dir: 'auto'}, `Start at ${clock(Math.floor(at) * 1000)}`), begin),
      el('p', {class: 'sharing-ways'}, copy, systemSheet(title, link))));
  close.addEventListener('click', () => dialog.close());
  field.addEventListener('focus', () => field.select());
  if (begin) begin.addEventListener('change', show);
  copyButton(copy, link);
  show();
  return dialog;
}

/** The code, as wide as whole pixels for its modules allow; nothing where the server draws none. */
function qrCode() {
  const image = el('img', {alt: 'QR code of the link'});
  const node = el('figure', {class: 'sharing-code'}, image);
  image.addEventListener('load', () => {
    const modules = image.naturalWidth / DRAWN_PX;
    image.width = modules * Math.ceil(CODE_PX / modules);
    node.hidden = false;
  });
  image.addEventListener('error', () => {
    node.hidden = true;
  });
  const show = (link) => {
    image.src = `${pageURL('qr.svg')}?to=${encodeURIComponent(link)}`;
  };
  return {node, show};
}

/** The way to what else is installed on a phone. */
function systemSheet(title, link) {
  if (!navigator.share) return null;
  const button = el('button', {type: 'button', class: 'button'}, icon('share'), 'More ways to share');
  button.addEventListener('click', () => {
    navigator.share({title, url: link()}).catch(() => {}); // thought better of
  });
  return button;
}
