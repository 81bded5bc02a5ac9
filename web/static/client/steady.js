/** A picture that stands still is repeated this often. */
const REPEAT_MS = 80;
/**
 * The least time from one frame to the next, in microseconds: what MediaRecorder
 * counts. Of two frames in one millisecond players show one, and some stumble.
 */
const STEP_US = 1000;

/**
 * Chromium's MediaRecorder writes nothing, the sound included, while the
 * picture brings no new frames, and a shared screen or a canvas brings none
 * while nothing moves. steady() gives such a track back with its last frame
 * repeated. Cameras never stand still and pass as they are, and so does
 * everything where the browser lacks the means (Firefox repeats frames itself).
 *
 * @param {MediaStreamTrack} track  a video track
 * @param {MediaStreamTrack} [sound] keeps time in tabs that are not looked at
 * @returns {{track: MediaStreamTrack, stop: () => void}}
 */
export function steady(track, sound) {
  if (!standsStill(track) || !canRepeat()) return {track, stop() {}};
  // Of a copy: a second reader of the same track would take its frames away.
  const source = track.clone();
  const {readable} = new MediaStreamTrackProcessor({track: source});
  const out = new MediaStreamTrackGenerator({kind: 'video'});
  const repeater = new Repeater(out.writable.getWriter());
  void eachOf(readable, (/** @type {VideoFrame} */ frame) => repeater.take(frame));
  const stopClock = clock(sound, () => repeater.tick());
  return {
    track: out,
    stop() {
      stopClock();
      source.stop();
      repeater.close();
      out.stop();
    },
  };
}

/** Passes frames on, and the last one again when there was none for a while. */
class Repeater {
  #writer;
  /** @type {VideoFrame | null} */
  #last = null;
  #at = 0;
  #busy = false;

  constructor(/** @type {WritableStreamDefaultWriter<VideoFrame>} */ writer) {
    this.#writer = writer;
  }

  take(/** @type {VideoFrame} */ frame) {
    frame = this.#later(frame);
    this.#last?.close();
    this.#last = frame.clone();
    this.#at = performance.now();
    return this.#write(frame);
  }

  /** A repeated frame may have been given a time that a new one, which came meanwhile, has too. */
  #later(/** @type {VideoFrame} */ frame) {
    const least = this.#last ? this.#last.timestamp + STEP_US : -Infinity;
    if (frame.timestamp >= least) return frame;
    const moved = new VideoFrame(frame, {timestamp: least});
    frame.close();
    return moved;
  }

  tick() {
    const waited = performance.now() - this.#at;
    if (!this.#last || this.#busy || waited < REPEAT_MS) return;
    const timestamp = this.#last.timestamp + Math.round(waited * 1000);
    void this.take(new VideoFrame(this.#last, {timestamp}));
  }

  close() {
    this.#last?.close();
    this.#last = null;
    this.#writer.abort().catch(() => {}); // ended already
  }

  async #write(/** @type {VideoFrame} */ frame) {
    this.#busy = true;
    await this.#writer.write(frame).catch(() => frame.close()); // stopped meanwhile
    this.#busy = false;
  }
}

/**
 * Calls `tick` several times a second. Timers slow down to one a second in a
 * tab that is not looked at, as while its user shares another window; sound
 * comes at its own pace everywhere.
 */
function clock(/** @type {MediaStreamTrack | undefined} */ sound, /** @type {() => void} */ tick) {
  const timer = setInterval(tick, REPEAT_MS / 2);
  const copy = sound?.clone();
  if (copy) {
    const {readable} = new MediaStreamTrackProcessor({track: copy});
    void eachOf(readable, (/** @type {AudioData} */ data) => {
      data.close();
      tick();
    });
  }
  return () => {
    clearInterval(timer);
    copy?.stop();
  };
}

/**
 * Ends with the track.
 *
 * @template T
 * @param {ReadableStream<T>} readable
 * @param {(value: T) => unknown} use
 */
async function eachOf(readable, use) {
  const reader = readable.getReader();
  for (;;) {
    const {value, done} = await reader.read();
    if (done) return;
    await use(value);
  }
}

function standsStill(/** @type {MediaStreamTrack} */ track) {
  const canvas = globalThis.CanvasCaptureMediaStreamTrack;
  return 'displaySurface' in track.getSettings() || (canvas !== undefined && track instanceof canvas);
}

function canRepeat() {
  return 'MediaStreamTrackProcessor' in globalThis && 'MediaStreamTrackGenerator' in globalThis &&
    'VideoFrame' in globalThis;
}
