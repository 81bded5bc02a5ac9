import {AppendQueue} from './append-queue.js';
import {LiveEdge} from './live-edge.js';
import {Problem, errorOf} from './problem.js';

/** iPhones have only the managed one; it does the same for us. */
const Source = globalThis.ManagedMediaSource ?? globalThis.MediaSource;
/** Arriving data steers the player; this is for the time in which none does. */
const LOOK_MS = 200;
/** Data comes and nothing moves: then only a new start mends it. */
const STUCK_MS = 3000;
/** How long the end of a broadcast may take to be played out. */
const REST_MS = 1500;
/** In what Firefox says where there is sound alone and no device to play it on. */
const NO_OUTPUT = /MEDIASINK_ERR|OnMediaSinkAudioError/;

/** @param {string} mime */
export function canPlay(mime) {
  return Source?.isTypeSupported(mime) ?? false;
}

/**
 * Plays one live stream of WebM or MP4 that is pushed into it piece by piece. Another
 * init segment is another player.
 */
export class MsePlayer {
  /**
   * Resolves when it can play no more, else stays pending; then with a Problem that has
   * `noOutput` where the browser found nothing to play the sound on.
   *
   * @type {Promise<Problem>}
   */
  failed;

  #mime;
  #reserve;
  #source = new Source();
  /** @type {AppendQueue} */
  #queue;
  /** @type {LiveEdge | null} */
  #edge = null;
  /** @type {HTMLVideoElement | null} */
  #video = null;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;
  /** @type {(detail: string) => void} */
  #fail = () => {};
  #onError = () => this.#fail('The browser could not play the media.');
  /** When it last moved, and where it was then. */
  #moved = {at: 0, position: -1};

  /**
   * @param {string} mime exactly as the server says it
   * @param {import('./live-edge.js').Reserve} reserve
   */
  constructor(mime, reserve) {
    this.#mime = mime;
    this.#reserve = reserve;
    this.failed = new Promise((resolve) => {
      this.#fail = (detail) => resolve(this.#problem(detail));
    });
    this.#queue = new AppendQueue(() => this.#video?.currentTime ?? 0, this.#fail);
    this.#source.addEventListener('sourceopen', () => this.#open(), {once: true});
  }

  /** @param {ArrayBuffer | Uint8Array<ArrayBuffer>} piece */
  push(piece) {
    this.#queue.push(piece);
  }

  /** @param {HTMLVideoElement} video */
  attach(video) {
    this.#video = video;
    video.disableRemotePlayback = true; // else a managed source stays closed
    video.addEventListener('error', this.#onError);
    video.srcObject = null;
    video.src = URL.createObjectURL(this.#source);
    const edge = this.#edge = new LiveEdge(video, this.#reserve);
    this.#timer = setInterval(() => edge.steer(), LOOK_MS);
  }

  /** @returns {number | null} milliseconds from the picture to the newest data */
  get behind() {
    const seconds = this.#edge?.behind ?? null;
    return seconds === null ? null : seconds * 1000;
  }

  /** Resolves when what is buffered has been played, or that takes too long. */
  async playedOut() {
    const video = this.#video;
    if (!video || video.paused) return;
    this.#edge?.close();
    const over = performance.now() + REST_MS;
    while (video.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA && performance.now() < over) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Takes no more. The last picture stays in the element. */
  close() {
    clearInterval(this.#timer);
    this.#video?.removeEventListener('error', this.#onError);
    this.#edge?.close();
    this.#queue.close();
  }

  /** The element's error is the cause; that it takes no data any more only follows from it. */
  #problem(/** @type {string} */ detail) {
    const said = this.#video?.error?.message ?? '';
    const noOutput = NO_OUTPUT.test(said);
    const why = noOutput ? 'The browser found nothing to play the sound on.' : said || detail;
    return Object.assign(new Problem({title: 'Playback failed', detail: why}), {noOutput});
  }

  #grown() {
    const video = this.#video;
    if (!video) return;
    this.#edge?.steer();
    const {paused, currentTime} = video;
    const now = performance.now();
    if (paused || currentTime !== this.#moved.position) this.#moved = {at: now, position: currentTime};
    else if (now - this.#moved.at > STUCK_MS) this.#fail('Playback got stuck.');
  }

  #open() {
    URL.revokeObjectURL(this.#video?.src ?? '');
    try {
      this.#queue.start(this.#source.addSourceBuffer(this.#mime), () => this.#grown());
    } catch (thrown) {
      this.#fail(errorOf(thrown).message);
    }
  }
}
