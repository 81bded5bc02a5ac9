import {broadcastOf} from './live.js';
import {identity} from './identity.js';
import {Problem, statusOf} from './problem.js';
import {Recorder, recordingType} from './recorder.js';
import {Socket, within} from './socket.js';
import {Rate} from './stats.js';
import {steady} from './steady.js';
import {urlOf} from './name.js';
import {sayIn} from './texts.js';

/** How long until the server has taken in the first bytes. */
const LIVE_MS = 10000;
/** What may wait to be sent; with more, what is recorded waits instead. */
const WAITING_MOST = 4 << 20;
/** So little that sending goes on. */
const WAITING_LEAST = 128 << 10;
const LOOK_MS = 100;
/** A picture with less than this is none. */
const BITRATE_LEAST = 150_000;
/** How long the last bytes may take. */
const LAST_MS = 500;

/**
 * Sends tracks over a WebSocket, as the bytes a MediaRecorder makes of them:
 * for networks and browsers where WebRTC does not get through. One of the
 * transports a Publisher can use; see whip.js for their shape.
 */
export class SocketPublishTransport {
  /** Whether this browser can do it. */
  static get supported() {
    return recordingType(true) !== '' && 'WebSocket' in globalThis;
  }

  /** @type {Promise<Problem>} */
  lost;
  /** What the server was told of the broadcast. @type {import('./texts.js').Texts | undefined} */
  said;

  #options;
  /** @type {Map<string, MediaStreamTrack>} by kind */
  #tracks;
  /** @type {{track: MediaStreamTrack | null, stop: () => void}} */
  #steady = {track: null, stop() {}};
  /** @type {Socket | null} */
  #socket = null;
  #recorder;
  /** @type {string | null} */
  #session = null;
  /** @type {(problem: Problem) => void} */
  #lose = () => {};
  /** @type {() => void} */
  #live = () => {};
  #sent = 0;
  #draining = false;
  #closed = false;
  #bytes = new Rate();
  #frames = new Rate();
  #onPageHide = () => this.#leave();

  /** @param {import('./whip.js').PublishOptions} options */
  constructor(options) {
    this.#options = options;
    this.#tracks = new Map(options.tracks.map((track) => [track.kind, track]));
    this.lost = new Promise((resolve) => {
      this.#lose = resolve;
    });
    this.#recorder = new Recorder(options, (data) => this.#send(data), (error) =>
      this.#lose(new Problem({title: 'Recording failed', detail: error.message, cause: error})));
  }

  /** @param {AbortSignal} signal */
  async open(signal) {
    const {name, endpoint, record, replaces} = this.#options;
    if (!replaces) await this.#ask(signal);
    signal.throwIfAborted(); // close() has been called already, and would not see the socket
    const url = urlOf(endpoint, '/ws/publish/', name);
    if (!record) url.searchParams.set('record', 'false');
    if (replaces) url.searchParams.set('replaces', replaces);
    const {title, description} = this.#options;
    this.said = {title, description};
    const said = sayIn(url, this.said);
    /** @type {Promise<void>} */
    const live = new Promise((resolve) => {
      this.#live = resolve;
    });
    const socket = this.#socket = new Socket(url, {text: (message) => this.#heard(message)});
    socket.lost.then(this.#lose);
    await socket.open(signal).catch((error) => this.#refused(error));
    addEventListener('pagehide', this.#onPageHide);
    socket.send({type: 'hello', ...identity(), ...(said.description !== description && {description})});
    await within(LIVE_MS, signal, live, this.lost);
  }

  /** @param {MediaStreamTrack} track takes the place of the one of its kind */
  async replaceTrack(track) {
    if (!this.#tracks.has(track.kind)) throw new TypeError(`the broadcast has no ${track.kind} track`);
    if (this.#tracks.get(track.kind) === track) return;
    this.#tracks.set(track.kind, track);
    if (!this.#closed) await this.#record();
  }

  /** @returns {Promise<import('./send-stats.js').SendStats>} */
  async stats() {
    const video = this.#tracks.get('video');
    const {width = null, height = null, frameRate = null} = video?.getSettings() ?? {};
    /** @type {{deliveredFrames: number} | undefined} newer than what TypeScript knows */
    const delivered = /** @type {any} */ (video)?.stats;
    const now = performance.now();
    const waiting = this.#socket?.waiting ?? 0;
    const bytes = this.#bytes.next(this.#sent - waiting, now);
    return {
      width,
      height,
      // The rate of the source; that of the encoder is not told.
      fps: delivered ? this.#frames.next(delivered.deliveredFrames, now) : frameRate,
      bitrate: bytes === null ? null : bytes * 8,
      videoCodec: video ? 'vp8' : null,
      audioCodec: this.#tracks.has('audio') ? 'opus' : null,
      rtt: null,
      packetsLost: 0,
      packetsSent: null,
      limitedBy: this.#draining || waiting > WAITING_MOST / 8 ? 'bandwidth' : null,
    };
  }

  /** Ends the broadcast; resolves when all that was recorded has been sent. */
  async close() {
    if (this.#closed) return;
    const late = new Promise((resolve) => setTimeout(resolve, LAST_MS));
    await Promise.race([this.#recorder.stop(), late]);
    this.#leave();
  }

  /** @returns {string | null} what another one can take the place of */
  get session() {
    return this.#session;
  }

  /** Lost, and another one is to take its place: the server is not to take it for stopped. */
  leave() {
    if (this.#closed) return;
    this.#closed = true;
    removeEventListener('pagehide', this.#onPageHide);
    void this.#recorder.stop();
    this.#steady.stop();
  }

  /** Another one has taken its place. */
  discard() {
    this.leave();
    this.#socket?.close();
  }

  /** At once: a page that goes away waits for nothing. */
  #leave() {
    if (this.#closed) return;
    this.leave();
    this.#socket?.send({type: 'bye'});
    this.#socket?.close();
  }

  /**
   * Whether the name is free. The browser hides the answer of a server
   * that refuses a socket, and reports the refusal as an error in its console.
   *
   * @param {AbortSignal} [signal]
   */
  async #ask(signal) {
    const {name, endpoint} = this.#options;
    // Where it cannot be asked the socket will tell.
    const broadcast = await broadcastOf(endpoint, name, signal).catch(() => null);
    // 'waiting': its publisher was lost, and the next one goes on with it.
    if (!broadcast || broadcast.state === 'waiting') return;
    throw new Problem({status: 409, title: 'Name taken', detail: 'Somebody else broadcasts under it now.'});
  }

  /** Another publisher may have been quicker. */
  async #refused(/** @type {unknown} */ error) {
    if (statusOf(error) === 0) await this.#ask();
    throw error;
  }

  #heard(/** @type {any} */ message) {
    const {type, state, id} = message;
    // Not before the server has said that the name is ours.
    if (type === 'session') {
      this.#session = id;
      this.#socket?.send({type: 'start'});
      void this.#record();
    }
    if (type === 'accepted' || (type === 'status' && state === 'live')) this.#live();
    if (type === 'status' && state === 'ended') {
      this.#lose(new Problem({title: 'Ended', detail: 'The server ended the broadcast.'}));
    }
  }

  async #record(/** @type {Promise<void> | undefined} */ after = undefined) {
    const before = this.#steady;
    const audio = this.#tracks.get('audio');
    const video = this.#tracks.get('video');
    this.#steady = video ? steady(video, audio) : {track: null, stop() {}};
    const tracks = [this.#steady.track, audio].filter((track) => track != null);
    await this.#recorder.restart(tracks, after);
    before.stop(); // only now, or its recorder would have ended by itself
  }

  #send(/** @type {Blob} */ data) {
    const socket = this.#socket;
    if (this.#closed || !socket) return;
    socket.send(data);
    this.#sent += data.size;
    if (socket.waiting > WAITING_MOST && !this.#draining) void this.#drain();
  }

  /**
   * The network takes less than is recorded. Cutting bytes out would damage
   * the stream, so it ends here, and a smaller one begins when the network is free.
   */
  async #drain() {
    this.#draining = true;
    this.#recorder.videoBitrate = Math.max(BITRATE_LEAST, this.#recorder.videoBitrate / 2);
    await this.#record(this.#emptied());
    this.#draining = false;
  }

  async #emptied() {
    while ((this.#socket?.waiting ?? 0) > WAITING_LEAST && !this.#closed) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }
}
