import {opusBitrate} from './opus.js';

/** How often the browser hands over what it has recorded. */
const SLICE_MS = 100;
/** A viewer that joins starts at a keyframe, and MediaRecorder cannot be asked for one. */
const KEYFRAME_MS = 1000;

/**
 * @param {boolean} hasVideo
 * @returns {string} a type this browser records that is WebM as weir takes it; '' if none
 */
export function recordingType(hasVideo) {
  const types = hasVideo
    ? ['video/webm;codecs=vp8,opus', 'video/webm']
    : ['audio/webm;codecs=opus', 'audio/webm'];
  return types.find((type) => globalThis.MediaRecorder?.isTypeSupported(type)) ?? '';
}

/**
 * Records tracks as one WebM stream after another: a MediaRecorder cannot
 * change its tracks or its rate, so each change is a new one, whose stream goes
 * on where the last one ended.
 */
export class Recorder {
  /** Bits per second for the picture; takes effect with the next restart(). */
  videoBitrate;

  /** @type {MediaRecorder | null} */
  #recorder = null;
  #audioBitrate;
  #give;
  #fail;
  /** @type {Promise<void>} */
  #turn = Promise.resolve();

  /**
   * @param {object} options
   * @param {number} options.videoBitrate
   * @param {number} [options.audioBitrate] what the sound is worth if absent
   * @param {(data: Blob) => void} give gets the bytes, in order
   * @param {(error: DOMException) => void} fail a recorder ended by itself
   */
  constructor({videoBitrate, audioBitrate}, give, fail) {
    this.videoBitrate = videoBitrate;
    this.#audioBitrate = audioBitrate;
    this.#give = give;
    this.#fail = fail;
  }

  /**
   * Begins a new stream with these tracks. The last bytes of the one before
   * are given first.
   *
   * @param {MediaStreamTrack[]} tracks
   * @param {Promise<void>} [after] waited for in between
   */
  restart(tracks, after) {
    return this.#next(async () => {
      await this.#finish();
      await after;
      this.#start(tracks);
    });
  }

  /** Ends; resolves when the last bytes were given. */
  stop() {
    return this.#next(() => this.#finish());
  }

  /** One change at a time, or two recorders would speak at once. */
  #next(/** @type {() => Promise<void>} */ change) {
    this.#turn = this.#turn.then(change);
    this.#turn = this.#turn.catch((error) => this.#fail(error));
    return this.#turn;
  }

  #start(/** @type {MediaStreamTrack[]} */ tracks) {
    /** @type {MediaRecorderOptions & {videoKeyFrameIntervalDuration: number}} newer than what TypeScript knows */
    const options = {
      mimeType: recordingType(tracks.some((track) => track.kind === 'video')),
      videoBitsPerSecond: this.videoBitrate,
      audioBitsPerSecond: this.#audioBitrate ?? opusBitrate(tracks.find(({kind}) => kind === 'audio')),
      videoKeyFrameIntervalDuration: KEYFRAME_MS,
    };
    const recorder = new MediaRecorder(new MediaStream(tracks), options);
    recorder.addEventListener('dataavailable', ({data}) => {
      if (data.size > 0) this.#give(data);
    });
    recorder.addEventListener('error', (event) => this.#fail(/** @type {Event & {error: DOMException}} */ (event).error));
    recorder.start(SLICE_MS);
    this.#recorder = recorder;
  }

  /** @returns {Promise<void>} */
  #finish() {
    const recorder = this.#recorder;
    this.#recorder = null;
    // It ends by itself when its tracks do; then there is no event to wait for.
    if (!recorder || recorder.state === 'inactive') return Promise.resolve();
    return new Promise((resolve) => {
      recorder.addEventListener('stop', () => resolve(), {once: true});
      recorder.stop();
    });
  }
}
