/**
 * Pictures or a list: what was chosen last is remembered in this browser.
 */
const KEY = 'weir.recordings.view';

function remembered() {
  try {
    return localStorage.getItem(KEY) === 'list' ? 'list' : 'grid';
  } catch {
    return 'grid'; // private modes may refuse
  }
}

/**
 * @param {HTMLElement} place  that shows them, by its data-view
 * @param {HTMLElement} grid   the button for pictures
 * @param {HTMLElement} list   the button for a list
 */
export function chooseView(place, grid, list) {
  const choose = (view) => {
    place.dataset.view = view;
    grid.setAttribute('aria-pressed', String(view === 'grid'));
    list.setAttribute('aria-pressed', String(view === 'list'));
  };
  for (const [button, view] of /** @type {[HTMLElement, string][]} */ ([[grid, 'grid'], [list, 'list']])) {
    button.addEventListener('click', () => {
      choose(view);
      try {
        localStorage.setItem(KEY, view);
      } catch {
        return;
      }
    });
  }
  choose(remembered());
}
