/** After a stall it keeps a little more in reserve, up to this, and slowly gives it back. */
const RESERVE_MOST = 0.8;
const RESERVE_STEP = 0.06;
const GIVE_BACK = 0.01;
const CALM_MS = 10000;
/** Further behind than this (beyond the reserve) is not caught up with but jumped over. */
const JUMP = 1.35;
/** In the first moments a jump is the quickest and hardly noticed. */
const JUMP_FIRST = 0.25;
const FIRST_MS = 2500;
/** Time for a jump to show its picture before the next. */
const JUMP_MS = 700;
/**
 * The sound plays on where the picture has no data yet; this far ahead of it,
 * in seconds, all pictures come too late to be shown.
 */
const AHEAD = -0.1;
const GROWS_MS = 300;
/** With less than this, in seconds, in front of a gap nothing plays any more. */
const SHORT = 0.25;
const RATE_MOST = 1.1;
const RATE_LEAST = 1.02;
/** With next to nothing left it plays slower: less noticed than a stall. */
const RATE_SLOW = 0.97;
/** At the start that would take too long where a browser wants much. */
const RATE_FIRST = 0.8;
/** What is told of the distance is its mean over about so many pieces: it swings with each. */
const SMOOTH = 12;
/** How long what is left is watched for its least: more than any piece takes to come. */
const WINDOW_MS = 500;

/** A picture that was paused stands for so long, in seconds; what has come meanwhile takes memory. */
const HELD_MOST = 60;

/**
 * @typedef {object} Reserve how much of what has come is kept unplayed, in seconds
 * @property {number} least what has to be left when the next piece comes
 * @property {number} start what the browser wants to have before it begins
 */

/**
 * Keeps a video element close to the end of a buffer that grows: a little
 * faster when it has fallen behind, a jump when that is much or there is a gap.
 *
 * The distance to the end swings with the size of the pieces, and what matters
 * is only how little is left before the next one comes: with that it neither
 * waits longer than it has to for small pieces, nor runs dry with large ones.
 */
export class LiveEdge {
  #video;
  /** @type {Reserve} */
  #reserve;
  #target;
  #left = new Least();
  /** @type {number | null} */
  #mean = null;
  #begun = 0;
  #end = 0;
  #grown = 0;
  #jumped = 0;
  #stalled = 0;
  /** Whether it has played: from then on a pause is meant. */
  #played = false;
  #onWaiting = () => this.#stall();
  #onPlaying = () => {
    this.#played = true;
  };

  /**
   * @param {HTMLVideoElement} video
   * @param {Reserve} reserve
   */
  constructor(video, reserve) {
    this.#video = video;
    this.#reserve = reserve;
    this.#target = reserve.least;
    video.addEventListener('waiting', this.#onWaiting);
    video.addEventListener('playing', this.#onPlaying);
  }

  /** @returns {number | null} seconds from the picture to the end of the buffer */
  get behind() {
    return this.#mean;
  }

  /** To be called often: whenever the buffer grew, and now and then besides. */
  steer() {
    const video = this.#video;
    const {buffered, currentTime} = video;
    if (buffered.length === 0 || video.readyState === 0) return;
    const last = buffered.length - 1;
    const end = buffered.end(last);
    const left = this.#end - currentTime; // before it grew
    const grows = this.#grows(end);
    const behind = end - currentTime;
    if (video.paused && this.#played && behind < HELD_MOST) return;
    const beyond = gapEnd(buffered, currentTime);
    if (behind > this.#start + this.#most || (behind < AHEAD && grows)) {
      this.#jump(Math.max(end - this.#start, buffered.start(last)));
    } else if (beyond !== null && !this.#playing) {
      this.#jump(beyond);
    } else if (!video.seeking && behind >= 0) {
      this.#follow(behind, left);
    }
  }

  close() {
    this.#video.removeEventListener('waiting', this.#onWaiting);
    this.#video.removeEventListener('playing', this.#onPlaying);
    this.#video.playbackRate = 1;
  }

  #follow(/** @type {number} */ behind, /** @type {number} */ left) {
    this.#begun ||= performance.now();
    this.#mean = this.#mean === null ? behind : this.#mean + (behind - this.#mean) / SMOOTH;
    this.#pace(this.#left.next(left, performance.now()) - this.#target);
    this.#relax();
  }

  #pace(/** @type {number} */ excess) {
    const video = this.#video;
    const rate = rateFor(excess, {rate: video.playbackRate, target: this.#target, fresh: this.#fresh});
    if (Math.abs(rate - video.playbackRate) > 0.009) video.playbackRate = rate;
  }

  #jump(/** @type {number} */ to) {
    const now = performance.now();
    // At the start it has the old pieces first, one after the other: where it jumped is no more the end.
    if (this.#fresh ? this.#video.seeking : now - this.#jumped < JUMP_MS) return;
    this.#jumped = now;
    this.#begun ||= now;
    this.#mean = null;
    this.#left.clear();
    this.#video.playbackRate = 1;
    this.#video.currentTime = to;
  }

  /** It ran dry. The stall of a jump of ours, or of a start, says nothing of the network. */
  #stall() {
    const now = performance.now();
    if (this.#fresh || now - this.#jumped < JUMP_MS * 2) return;
    this.#stalled = now;
    this.#target = Math.min(RESERVE_MOST, this.#target + RESERVE_STEP);
  }

  #relax() {
    const now = performance.now();
    if (this.#target <= this.#reserve.least || now - this.#stalled < CALM_MS) return;
    this.#stalled = now - CALM_MS + 1000; // the next step in a second
    this.#target = Math.max(this.#reserve.least, this.#target - GIVE_BACK);
  }

  /** @returns {boolean} false while the picture stands still and only the sound goes on */
  #grows(/** @type {number} */ end) {
    const now = performance.now();
    if (end !== this.#end) [this.#end, this.#grown] = [end, now];
    return now - this.#grown < GROWS_MS;
  }

  /** Whether it has only just begun. */
  get #fresh() {
    return !this.#begun || performance.now() - this.#begun < FIRST_MS;
  }

  get #most() {
    return this.#fresh ? JUMP_FIRST : JUMP;
  }

  /** Where a jump goes: to what the browser begins with, or what was found to be needed. */
  get #start() {
    return Math.max(this.#reserve.start, this.#target);
  }

  get #playing() {
    return this.#video.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA;
  }
}

/**
 * How fast to play. Catching up begins late and ends late, so that the pitch does
 * not waver.
 *
 * @param {number} excess seconds by which more is left than has to be
 * @param {{rate: number, target: number, fresh: boolean}} now the rate at which it
 *   plays, what has to be left, in seconds, and whether it has only just begun
 * @returns {number}
 */
export function rateFor(excess, {rate, target, fresh}) {
  if (excess > (rate > 1 ? 0.015 : 0.05)) return Math.min(RATE_MOST, Math.max(RATE_LEAST, 1 + excess / 3));
  if (excess < (rate < 1 ? 0 : -target / 3)) return fresh ? RATE_FIRST : RATE_SLOW;
  return 1;
}

/** The least of the values of the last one to two windows. */
export class Least {
  #from = 0;
  #now = Infinity;
  #before = Infinity;

  /**
   * @param {number} value
   * @param {number} at milliseconds
   * @returns {number}
   */
  next(value, at) {
    if (at - this.#from > WINDOW_MS) [this.#from, this.#before, this.#now] = [at, this.#now, Infinity];
    this.#now = Math.min(this.#now, value);
    return Math.min(this.#now, this.#before);
  }

  clear() {
    this.#now = this.#before = Infinity;
  }
}

/**
 * Where it goes on after a gap that the player has come to, or that it seeks to
 * shortly before: the decoders would wait for what is missing for ever.
 *
 * @param {TimeRanges} buffered
 * @param {number} time
 * @returns {number | null} null where what comes next is there, or not there yet
 */
export function gapEnd(buffered, time) {
  for (let i = 0; i < buffered.length; i++) {
    if (time < buffered.start(i)) return buffered.start(i);
    if (time < buffered.end(i) - SHORT) return null;
  }
  return null;
}
