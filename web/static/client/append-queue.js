import {errorOf} from './problem.js';

/** What has been played is kept this long, in seconds, and thrown away in steps. */
const KEEP = 20;
const KEEP_STEP = 10;
/** When the browser tells that its memory is full. */
const KEEP_LEAST = 1;
/** A player that takes nothing (a tab opened in the background) is not fed for ever. */
const WAITING_MOST = 16 << 20;

/**
 * Feeds a SourceBuffer, which takes one piece at a time, and throws away what
 * was played.
 */
export class AppendQueue {
  /** @type {(ArrayBuffer | Uint8Array<ArrayBuffer>)[]} */
  #pieces = [];
  #waiting = 0;
  /** @type {SourceBuffer | null} */
  #buffer = null;
  #position;
  #fail;

  /**
   * @param {() => number} position of what is on the screen, in seconds
   * @param {(why: string) => void} fail called once it can go no further
   */
  constructor(position, fail) {
    this.#position = position;
    this.#fail = fail;
  }

  /**
   * @param {SourceBuffer} buffer
   * @param {() => void} grown called each time all there is was appended
   */
  start(buffer, grown) {
    this.#buffer = buffer;
    buffer.addEventListener('updateend', () => {
      if (this.#pieces.length === 0) grown();
      this.#next();
    });
    buffer.addEventListener('error', () => this.#fail('The browser could not read the media.'));
    this.#next();
  }

  /** @param {ArrayBuffer | Uint8Array<ArrayBuffer>} piece */
  push(piece) {
    this.#pieces.push(piece);
    this.#waiting += piece.byteLength;
    if (this.#waiting > WAITING_MOST) this.#fail('The player takes no data.');
    else this.#next();
  }

  close() {
    this.#pieces = [];
    this.#buffer = null;
  }

  #next() {
    const buffer = this.#buffer;
    const [piece] = this.#pieces;
    if (!buffer || buffer.updating || !piece) return;
    try {
      if (this.#trim(buffer, KEEP, KEEP_STEP)) return;
      buffer.appendBuffer(piece);
      this.#pieces.shift();
      this.#waiting -= piece.byteLength;
    } catch (thrown) {
      const {name, message} = errorOf(thrown);
      // Full: the piece stays and is tried again after the removal.
      if (name !== 'QuotaExceededError' || !this.#trim(buffer, KEEP_LEAST, 0)) this.#fail(message);
    }
  }

  /** @returns {boolean} whether it began to remove something */
  #trim(/** @type {SourceBuffer} */ buffer, /** @type {number} */ keep, /** @type {number} */ step) {
    const {buffered} = buffer;
    if (buffered.length === 0) return false;
    const until = this.#position() - keep;
    if (until <= 0 || until - buffered.start(0) <= step) return false;
    buffer.remove(0, until);
    return true;
  }
}
