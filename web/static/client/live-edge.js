/** How far behind the end of the buffer to play: as little as runs smoothly. */
const TARGET = 0.1;
/** After a stall it keeps a little more, up to this, and slowly gives it back. */
const TARGET_MOST = 0.8;
const TARGET_STEP = 0.06;
const TARGET_BACK = 0.01;
const CALM_MS = 10000;
/** Further behind than this (beyond the target) is not caught up with but jumped over. */
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
/** The distance swings with each piece that arrives; only its mean over about this many counts. */
const SMOOTH = 12;

/**
 * Keeps a video element close to the end of a buffer that grows: a little
 * faster when it has fallen behind, a jump when that is much or there is a gap.
 */
export class LiveEdge {
  #video;
  #target = TARGET;
  /** @type {number | null} */
  #mean = null;
  #begun = 0;
  #end = 0;
  #grown = 0;
  #jumped = 0;
  #stalled = 0;
  #onWaiting = () => this.#stall();

  /** @param {HTMLVideoElement} video */
  constructor(video) {
    this.#video = video;
    video.addEventListener('waiting', this.#onWaiting);
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
    const behind = buffered.end(last) - currentTime;
    const beyond = gapEnd(buffered, currentTime);
    if (behind > this.#target + this.#most || (behind < AHEAD && this.#grows(buffered.end(last)))) {
      this.#jump(Math.max(buffered.end(last) - this.#target, buffered.start(last)));
    } else if (beyond !== null && !this.#playing) {
      this.#jump(beyond);
    } else if (!video.seeking && behind >= 0) {
      this.#follow(behind);
    }
  }

  close() {
    this.#video.removeEventListener('waiting', this.#onWaiting);
    this.#video.playbackRate = 1;
  }

  #follow(behind) {
    this.#begun ||= performance.now();
    this.#mean = this.#mean === null ? behind : this.#mean + (behind - this.#mean) / SMOOTH;
    this.#pace(this.#mean - this.#target);
    this.#relax();
  }

  #pace(excess) {
    const video = this.#video;
    // It begins late and ends late, so that the pitch does not waver.
    let rate = 1;
    if (excess > (video.playbackRate > 1 ? 0.02 : 0.08)) {
      rate = Math.min(RATE_MOST, Math.max(RATE_LEAST, 1 + excess / 3));
    } else if (excess < -this.#target / 2) {
      rate = RATE_SLOW;
    }
    if (Math.abs(rate - video.playbackRate) > 0.009) video.playbackRate = rate;
  }

  #jump(to) {
    const now = performance.now();
    if (now - this.#jumped < JUMP_MS) return;
    this.#jumped = now;
    this.#begun ||= now;
    this.#mean = null;
    this.#video.playbackRate = 1;
    this.#video.currentTime = to;
  }

  /** It ran dry. The stall of a jump of ours, or of a start, says nothing of the network. */
  #stall() {
    const now = performance.now();
    if (!this.#begun || now - this.#begun < FIRST_MS || now - this.#jumped < JUMP_MS * 2) return;
    this.#stalled = now;
    this.#target = Math.min(TARGET_MOST, this.#target + TARGET_STEP);
  }

  #relax() {
    const now = performance.now();
    if (this.#target <= TARGET || now - this.#stalled < CALM_MS) return;
    this.#stalled = now - CALM_MS + 1000; // the next step in a second
    this.#target = Math.max(TARGET, this.#target - TARGET_BACK);
  }

  /** @returns {boolean} false while the picture stands still and only the sound goes on */
  #grows(end) {
    const now = performance.now();
    if (end !== this.#end) [this.#end, this.#grown] = [end, now];
    return now - this.#grown < GROWS_MS;
  }

  get #most() {
    return this.#begun && performance.now() - this.#begun > FIRST_MS ? JUMP : JUMP_FIRST;
  }

  get #playing() {
    return this.#video.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA;
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
function gapEnd(buffered, time) {
  for (let i = 0; i < buffered.length; i++) {
    if (time < buffered.start(i)) return buffered.start(i);
    if (time < buffered.end(i) - SHORT) return null;
  }
  return null;
}
