/**
 * Opens a dialog over the page. Esc closes it, as does a press beside it; then the focus is
 * where it was. Keys of the page's own do nothing meanwhile, those of the dialog work.
 *
 * Its looks are in css/dialog.css.
 *
 * @param {HTMLDialogElement} dialog  in the document
 * @param {HTMLElement} opener        the button that it belongs to, which gets the focus back
 */
export function openDialog(dialog, opener) {
  if (dialog.open) return;
  const over = new AbortController();
  const {signal} = over;
  // Not a press that began inside, such as one that selects text.
  let beside = false;
  dialog.addEventListener('pointerdown', (event) => {
    beside = isBeside(dialog, event);
  }, {signal});
  dialog.addEventListener('click', (event) => {
    if (beside && isBeside(dialog, event)) dialog.close();
  }, {signal});
  // A click into its plain parts leaves the focus with the page, and keys go there.
  // Its close event comes a moment after it is closed: until then keys are the page's again.
  addEventListener('keydown', (event) => {
    if (dialog.open && !dialog.contains(/** @type {Node} */ (event.target))) event.stopPropagation();
  }, {signal, capture: true});
  dialog.addEventListener('keydown', (event) => dialog.open && event.stopPropagation(), {signal});
  dialog.addEventListener('close', () => {
    over.abort();
    opener.focus(); // Safari does not give it to a button that was clicked, and so not back either
  }, {signal});
  dialog.showModal();
}

/** The backdrop is part of the dialog. */
function isBeside(dialog, {target, clientX: x, clientY: y}) {
  const {left, right, top, bottom} = dialog.getBoundingClientRect();
  return target === dialog && (x < left || x > right || y < top || y > bottom);
}
