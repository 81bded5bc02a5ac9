/** How long a recording may take to show that it can be played. */
const LOAD_MS = 8000;

/**
 * Plays a recording in the element that showed the broadcast, until the next broadcast
 * begins.
 */
export class Replay {
  #video;
  /** Whether the element plays a recording. */
  playing = false;

  /** @param {HTMLVideoElement} video */
  constructor(video) {
    this.#video = video;
  }

  /**
   * @param {string} url
   * @param {AbortSignal} signal aborted when something else is to be shown
   * @returns {Promise<boolean>} whether there is something to see
   */
  async start(url, signal) {
    const video = this.#video;
    video.srcObject = null;
    video.src = url;
    const loaded = await outcome(video, signal);
    if (signal.aborted || !loaded) return false;
    this.playing = true;
    video.play().catch(() => {}); // held back by the browser: there is a button
    return true;
  }

  /** The element is the broadcast's again. */
  stop() {
    this.playing = false;
  }
}

/** @returns {Promise<boolean>} whether it loads before it fails or takes too long */
function outcome(video, signal) {
  return new Promise((resolve) => {
    const over = new AbortController();
    const settle = (value) => {
      over.abort();
      clearTimeout(timer);
      resolve(value);
    };
    const timer = setTimeout(() => settle(false), LOAD_MS);
    const {signal: once} = over;
    video.addEventListener('loadeddata', () => settle(true), {signal: once});
    video.addEventListener('error', () => settle(false), {signal: once});
    signal.addEventListener('abort', () => settle(false), {signal: once});
  });
}
