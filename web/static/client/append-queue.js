import {errorOf} from './problem.js';

/** What has been played is kept this long, in seconds, and thrown away in steps. */
const KEEP = 20;
const KEEP_STEP = 10;
/** When the browser says that its memory is full. */
const KEEP_LEAST = 1;
/** A player that takes nothing (a tab opened in the background) is not fed for ever. */
const WAITING_MOST = 16 << 20;

/** How much may wait for the next picture, in milliseconds of media, before it is taken for frozen. */
const WAIT_MOST = 300;
/** How long a picture is said to last that was waited for in vain. */
const FROZEN = 1000;

const CLUSTER = 0x1f43b675;
const UNKNOWN_SIZE = [0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
const SIMPLE_BLOCK = 0xa3;
const EBML = 0x1a45dfa3;
/** Elements of the header, with their sizes as weir writes them. */
const TRACK_NUMBER = [0xd7, 0x81];
const TYPE_VIDEO = [0x83, 0x81, 1];
const DEFAULT_DURATION = [0x23, 0xe3, 0x83, 0x84];
/** Takes the place of a DefaultDuration. */
const VOID = [0xec, 0x86, 0, 0, 0, 0, 0, 0];

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

/**
 * Tells a player how long each frame lasts. Of the newest one it believes what the
 * header says of all, which is more than true. Where there is sound Chromium goes
 * by that; without it would play what has not come yet. Firefox decodes no more
 * than ten pictures that have not ended, and shows late ones or none; and without
 * the header's word it guesses, sees holes where that was too little, stops there,
 * and drops all pictures up to the next keyframe. So each picture waits here for
 * the next one, and what comes behind it waits too.
 *
 * It takes the messages of a feed: a header, then blocks, in either framing.
 */
export class Durations {
  #video = -1;
  #base = 0;
  /** @type {{at: number, key: boolean, data: Uint8Array<ArrayBuffer>} | null} the picture that waits */
  #picture = null;
  /** @type {Uint8Array<ArrayBuffer>[]} what waits behind it */
  #behind = [];

  /**
   * @param {ArrayBuffer} message
   * @returns {Uint8Array<ArrayBuffer>} what can be appended; may be empty
   */
  next(message) {
    const bytes = new Uint8Array(message);
    const view = new DataView(message);
    if (bytes.length >= 4 && view.getUint32(0) === EBML) return this.#header(bytes);
    /** @type {Uint8Array<ArrayBuffer>[]} */
    const out = [];
    let at = 0;
    // A Cluster's head: ID, size (8 bytes), then its Timestamp (2 and 8 bytes).
    if (bytes.length >= 22 && view.getUint32(0) === CLUSTER) {
      this.#base = Number(view.getBigUint64(14));
      at = 22;
      bytes.set(UNKNOWN_SIZE, 4);
      this.#behind.push(bytes.subarray(0, at));
    }
    while (at < bytes.length && bytes[at] === SIMPLE_BLOCK) {
      const [size, head] = vint(bytes, at + 1);
      const start = at + 1 + head;
      const time = this.#base + view.getInt16(start + 1);
      this.#take(out, bytes.subarray(start, start + size), time);
      at = start + size;
    }
    return joined(out);
  }

  #take(/** @type {Uint8Array<ArrayBuffer>[]} */ out, /** @type {Uint8Array<ArrayBuffer>} */ payload, /** @type {number} */ time) {
    const picture = (payload[0] & 0x7f) === this.#video;
    const waited = this.#picture ? time - this.#picture.at : 0;
    if (this.#picture && (picture || waited > WAIT_MOST)) this.#let(out, this.#picture, picture ? waited : FROZEN);
    if (picture) {
      out.push(...this.#behind.splice(0)); // a Cluster's head
      this.#picture = {at: time, key: (payload[3] & 0x80) !== 0, data: payload};
      return;
    }
    const sound = group(payload, opusDuration(payload[4], payload[5]), true);
    if (this.#picture) this.#behind.push(...sound);
    else out.push(...this.#behind.splice(0), ...sound);
  }

  /**
   * Lets the picture go, and what waited behind it.
   *
   * @param {Uint8Array<ArrayBuffer>[]} out
   * @param {{key: boolean, data: Uint8Array<ArrayBuffer>}} picture
   * @param {number} lasts
   */
  #let(out, {key, data}, lasts) {
    this.#picture = null;
    out.push(...group(data, lasts, key), ...this.#behind.splice(0));
  }

  /** Takes out how long all pictures are said to last, and finds their track. */
  #header(/** @type {Uint8Array<ArrayBuffer>} */ bytes) {
    this.#picture = null;
    this.#behind = [];
    let track = -1;
    for (let i = 0; i + 8 <= bytes.length; i++) {
      if (starts(bytes, i, TRACK_NUMBER)) track = bytes[i + 2];
      if (starts(bytes, i, TYPE_VIDEO)) this.#video = track;
      if (starts(bytes, i, DEFAULT_DURATION)) bytes.set(VOID, i);
    }
    return bytes;
  }
}

function starts(/** @type {Uint8Array} */ bytes, /** @type {number} */ at, /** @type {number[]} */ what) {
  return what.every((byte, i) => bytes[at + i] === byte);
}

/** A BlockGroup in place of a SimpleBlock (RFC 9559 section 5.1.3.5). */
function group(/** @type {Uint8Array<ArrayBuffer>} */ payload, /** @type {number} */ lasts, /** @type {boolean} */ key) {
  const rest = [0x9b, 0x84, lasts >>> 24, lasts >> 16 & 255, lasts >> 8 & 255, lasts & 255]; // BlockDuration
  if (!key) rest.push(0xfb, 0x81, 0xff); // ReferenceBlock: to one before
  const head = [0xa0, ...size4(payload.length + 5 + rest.length), 0xa1, ...size4(payload.length)];
  const block = payload.slice();
  block[3] &= 0x7f; // the flag of a SimpleBlock
  return [Uint8Array.from(head), block, Uint8Array.from(rest)];
}

/** @returns {number} milliseconds (RFC 6716 section 3.1 and 3.2) */
function opusDuration(/** @type {number} */ toc, /** @type {number} */ count) {
  const config = toc >> 3;
  const frame = config < 12 ? [10, 20, 40, 60][config & 3] : config < 16 ? [10, 20][config & 1] : [2.5, 5, 10, 20][config & 3];
  const frames = [1, 2, 2, count & 63][toc & 3];
  return Math.round(frame * frames);
}

/** @returns {[number, number]} the value and its length in bytes */
function vint(/** @type {Uint8Array} */ bytes, /** @type {number} */ at) {
  const length = Math.clz32(bytes[at]) - 23;
  let value = bytes[at] & (0xff >> length);
  for (let i = 1; i < length; i++) value = value * 256 + bytes[at + i];
  return [value, length];
}

function size4(/** @type {number} */ n) {
  return [0x10 | n >> 24, n >> 16 & 255, n >> 8 & 255, n & 255];
}

function joined(/** @type {Uint8Array<ArrayBuffer>[]} */ parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
