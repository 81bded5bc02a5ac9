/** How long one track may come later than the other until the element plays without it. */
const TOGETHER_MS = 300;
/** How long a picture that is coming in may take to be seen. */
const SEEN_MS = 1500;

/**
 * Whether picture and sound come: false where the broadcast has one that does not
 * come, or not yet; null where it has none.
 *
 * @typedef {{video: boolean | null, audio: boolean | null}} Media
 */

/**
 * Decides which of a connection's tracks a media element has. An element is silent
 * until the first picture of a video track that it has; so where nothing comes of one
 * it begins without, and gets it when it comes. At first it has all: a picture that
 * came just before its track was put in would not be seen, and of a screen that stands
 * still there may be no second one.
 */
export class Lineup {
  /** @type {Map<string, MediaStreamTrack>} by kind */
  #tracks;
  /** Kinds of which something has come. */
  #come = new Set();
  #stream;
  #changed;
  /** @type {HTMLVideoElement | null} */
  #element = null;
  /** Whether it is known what comes. */
  #settled = false;
  /** @type {ReturnType<typeof setTimeout>[]} */
  #timers = [];
  #over = new AbortController();

  /**
   * @param {MediaStreamTrack[]} tracks at most one of each kind
   * @param {(anew: boolean) => void} changed called when `media` has changed; anew: what is to play
   *   was put into the element anew, so that play() is to be called
   */
  constructor(tracks, changed) {
    this.#tracks = new Map(tracks.map((track) => [track.kind, track]));
    this.#stream = new MediaStream(tracks);
    this.#changed = changed;
  }

  /** @returns {Media | null} null until it is known */
  get media() {
    if (!this.#settled) return null;
    const comes = (/** @type {string} */ kind) => (this.#tracks.has(kind) ? this.#come.has(kind) : null);
    return {video: comes('video'), audio: comes('audio')};
  }

  /** @param {HTMLVideoElement} element */
  attach(element) {
    this.#element = element;
    element.removeAttribute('src');
    element.srcObject = this.#stream;
    for (const track of this.#tracks.values()) {
      // A track that is received is muted until its first packet.
      track.addEventListener('unmute', () => this.#came(track.kind), {signal: this.#over.signal});
      if (!track.muted) this.#came(track.kind);
    }
  }

  /** @param {number} frames how many pictures have been decoded */
  decoded(frames) {
    if (frames > 0) this.#came('video');
  }

  close() {
    this.#over.abort();
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #came(/** @type {string} */ kind) {
    if (this.#come.has(kind) || this.#over.signal.aborted) return;
    this.#come.add(kind);
    if (kind === 'video') this.#later(SEEN_MS, () => this.#unseen());
    if (this.#settled) this.#show();
    else if (this.#come.size === this.#tracks.size) this.#settle();
    else this.#later(TOGETHER_MS, () => this.#settle());
  }

  #settle() {
    if (this.#settled) return;
    this.#settled = true;
    this.#show();
  }

  /** The picture is none that this browser can show, or not yet: let the sound be heard. */
  #unseen() {
    if ((this.#element?.readyState ?? 0) > 0 || !this.#come.has('audio')) return;
    this.#come.delete('video');
    this.#show();
  }

  /** Puts in what has come; takes out what has not only where the element waits for it. */
  #show() {
    const element = this.#element;
    if (!element) return;
    const tracks = [...this.#tracks.values()].filter((track) => this.#come.has(track.kind));
    // Of a stream that it waits for Chromium goes on waiting for what is taken out.
    const anew = element.readyState === 0 && tracks.length < this.#stream.getTracks().length;
    if (anew) {
      this.#stream = new MediaStream(tracks);
      element.srcObject = this.#stream;
    } else {
      for (const track of tracks) this.#stream.addTrack(track); // nothing for one that is there
    }
    this.#changed(anew);
  }

  #later(/** @type {number} */ ms, /** @type {() => void} */ what) {
    this.#timers.push(setTimeout(what, ms));
  }
}
