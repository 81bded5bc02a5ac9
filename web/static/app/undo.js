import {el} from './dom.js';

/** How long one can think better of it. */
const UNDO_MS = 6000;

/** What is still to be done. A page that goes away does it at once: it was asked for. */
const pending = new Set();

addEventListener('pagehide', () => {
  for (const finish of [...pending]) finish(true);
});

/**
 * Says that something is done which cannot be taken back, and does it only when its user
 * has had the time to take it back. Several may be waiting at a time.
 *
 * @param {object} deed
 * @param {string} deed.said  what it looks like already: "Deleted."
 * @param {string} deed.what  what it is done to; the accessible name of the button tells it
 * @param {(how: {keepalive: boolean}) => Promise<void>} deed.act  does it; keepalive: the page is going away
 * @param {() => void} deed.done    called once it is done
 * @param {() => void} deed.undone  called when it is not to be done, and has to look so
 * @param {(problem: Error) => void} deed.failed  called when it could not be done
 */
export function undoable({said, what, act, done, undone, failed}) {
  const undo = el('button', {type: 'button', class: 'button'}, 'Undo', el('span', {class: 'sr-only'}, `: ${what}`));
  const notice = el('p', {class: 'notice'}, el('span', {}, said), undo);
  const settle = () => {
    clearTimeout(timer);
    pending.delete(finish);
    notice.remove();
  };
  const finish = async (leaving = false) => {
    settle();
    try {
      await act({keepalive: leaving});
      done();
    } catch (problem) {
      failed(problem);
    }
  };
  const timer = setTimeout(finish, UNDO_MS);
  pending.add(finish);
  undo.addEventListener('click', () => {
    settle();
    undone();
  });
  notices().append(notice);
  undo.focus({preventScroll: true});
}

/** Where notices stand: at the lower edge of the window. */
function notices() {
  const place = document.querySelector('.notices') ?? el('div', {class: 'notices', role: 'status'});
  if (!place.isConnected) document.querySelector('main').append(place);
  return place;
}
