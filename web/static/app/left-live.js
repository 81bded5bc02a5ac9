/**
 * What this tab had live when its page was left, for the page that is loaded in its place.
 *
 * @typedef {object} LeftLive
 * @property {string} name
 * @property {string} title
 * @property {string} description
 * @property {string} session  that is to be replaced
 * @property {boolean} record
 * @property {'camera' | 'screen' | 'sound'} source
 * @property {string} camera   device id
 * @property {string} microphone
 * @property {boolean} muted
 * @property {boolean} dark
 */
const KEY = 'weir.live';
/** After this the server has given the broadcast up, unless it was told to be patient. */
const WAITS_MS = 60_000;

/** @param {LeftLive} what */
export function keepLive(what) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify({...what, at: Date.now()}));
  } catch {
    return; // private modes may refuse
  }
}

export function forgetLive() {
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    return;
  }
}

/**
 * What a reload has interrupted a moment ago. It is told once: a page that is reached
 * otherwise does not go live by itself.
 *
 * @returns {LeftLive | null}
 */
export function leftLive() {
  try {
    const left = JSON.parse(sessionStorage.getItem(KEY) ?? 'null');
    forgetLive();
    const [how] = performance.getEntriesByType('navigation');
    return how?.type === 'reload' && left && Date.now() - left.at < WAITS_MS ? left : null;
  } catch {
    return null;
  }
}
