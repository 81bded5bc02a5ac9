import {MsePlayer, canPlay} from './mse-player.js';
import {Problem} from './problem.js';
import {Socket, within} from './socket.js';
import {Rate} from './stats.js';
import {keepPicture} from './poster.js';
import {broadcastOf, notLive} from './live.js';
import {urlAt} from './home.js';
import {urlOf} from './name.js';

/** What the server muxes, by container. H.264 comes as fragmented MP4, all else as WebM. */
const TYPES = {webm: 'video/webm; codecs="vp8,opus"', mp4: 'video/mp4; codecs="avc1.42e01f,opus"'};
const CONTAINERS = Object.entries(TYPES).filter(([, type]) => canPlay(type)).map(([container]) => container);
/**
 * What differs between the engines. Chromium takes small whole Clusters, whose
 * newest frame can be shown at once. Firefox buffers only Clusters that begin with
 * a keyframe, so they grow block by block, and has to be told how long each frame
 * lasts. The wants of all others are not known, and such a stream is right for every
 * player. None of that is a feature that a page could ask for: hence the name.
 */
const CHROMIUM = /Chrom(e|ium)\//.test(navigator.userAgent);
const PICTURE = /\b(vp8|vp9|av1|vp09|av01|avc1)\b/;
const SOUND = /\b(opus|vorbis)\b/;
const FRAMING = CHROMIUM ? 'clusters' : 'growing';
/**
 * Whether frames are to tell how long they last. Of the newest one a player believes
 * what the header says of all, which is more than true. Where there is sound Chromium
 * goes by that; without it would play what has not come yet. Firefox decodes no more
 * than ten pictures that have not ended, and shows late ones or none.
 */
const DURATIONS = CHROMIUM ? 'without-sound' : 'always';
const RESERVE = CHROMIUM ? {least: 0.11, start: 0.22} : {least: 0.25, start: 0.35};
/** How long the server may take to tell whether a publisher is live. */
const ANSWER_MS = 8000;

/**
 * Receives a broadcast over a WebSocket, as WebM or MP4 for Media Source Extensions:
 * for networks and browsers where WebRTC does not get through. One of the
 * transports a Viewer can use; see whep.js for their shape. While no publisher
 * is live the second open() waits on the connection of the first.
 */
export class SocketWatchTransport {
  /** Whether this browser can do it. */
  static get supported() {
    return 'WebSocket' in globalThis && CONTAINERS.length > 0;
  }

  /**
   * Resolves with a Problem whose status is 409 when the broadcast is over,
   * then also with its `recording`, the URL of it, if there is one.
   *
   * @type {Promise<Problem>}
   */
  lost;

  #options;
  /** @type {Socket | null} */
  #socket = null;
  /** @type {MsePlayer | null} */
  #player = null;
  /** @type {HTMLVideoElement | null} */
  #video = null;
  #mime = '';
  /** @type {(problem: Problem) => void} */
  #lose = () => {};
  /** @type {Promise<void>} */
  #live;
  /** @type {() => void} */
  #begun = () => {};
  /** @type {import('./lineup.js').Media | null} */
  #media = null;
  /** @type {() => void} */
  #idle = () => {};
  #paused = false;
  #received = 0;
  #bytes = new Rate();
  #frames = new Rate();

  /** @param {import('./whep.js').WatchOptions} options */
  constructor(options) {
    this.#options = options;
    this.lost = new Promise((resolve) => {
      this.#lose = resolve;
    });
    this.#live = new Promise((resolve) => {
      this.#begun = resolve;
    });
  }

  /** @param {AbortSignal} signal */
  async open(signal) {
    if (this.#socket) {
      await within(Infinity, signal, this.#live, this.lost);
      return;
    }
    const {name, endpoint} = this.#options;
    const idle = new Promise((_, reject) => {
      this.#idle = () => reject(notLive());
    });
    const socket = this.#socket = new Socket(urlOf(endpoint, '/ws/watch/', name), {
      text: (message) => this.#heard(message),
      binary: (data) => this.#pushMedia(data),
    });
    socket.lost.then(this.#lose);
    await socket.open(signal);
    socket.send({type: 'hello', framing: FRAMING, durations: DURATIONS, containers: CONTAINERS});
    await within(ANSWER_MS, signal, Promise.race([this.#live, idle]), this.lost);
  }

  /** @param {HTMLVideoElement} video */
  async attach(video) {
    await keepPicture(video);
    this.#video = video;
    this.#player?.attach(video);
  }

  /** @returns {import('./lineup.js').Media | null} null until it is known */
  get media() {
    return this.#media;
  }

  /** Whether the picture stands still: what comes of it are repetitions. */
  get paused() {
    return this.#paused;
  }

  /** @returns {Promise<import('./receive-stats.js').ReceiveStats>} */
  async stats() {
    const now = performance.now();
    const video = this.#video;
    const quality = video?.getVideoPlaybackQuality();
    const bytes = this.#bytes.next(this.#received, now);
    const latency = this.#player?.behind ?? null;
    return {
      width: video?.videoWidth || null,
      height: video?.videoHeight || null,
      fps: this.#frames.next(quality?.totalVideoFrames, now),
      bitrate: bytes === null ? null : bytes * 8,
      videoCodec: this.#mime.includes('avc1.') ? 'h264' : /\b(vp8|vp9|av1)\b/.exec(this.#mime)?.[1] ?? null,
      audioCodec: SOUND.exec(this.#mime)?.[1] ?? null,
      packetsLost: null,
      framesDecoded: quality?.totalVideoFrames ?? 0,
      framesDropped: quality?.droppedVideoFrames ?? 0,
      bytesReceived: this.#received,
      rtt: null,
      latency,
      latencyBasis: latency === null ? null : 'buffer',
    };
  }

  async close() {
    this.#socket?.close();
    this.#player?.close();
  }

  async #heard(/** @type {any} */ message) {
    const {type, mime, recording, status, title, detail} = message;
    if (type === 'waiting') this.#idle(); // while live: the picture stands still, as with WebRTC
    if (type === 'init') this.#begin(String(mime));
    if (type === 'paused' || type === 'resumed') this.#paused = type === 'paused';
    if (type === 'error') this.#lose(new Problem({status, title, detail}));
    if (type === 'ended') {
      await this.#player?.playedOut();
      this.#lose(Object.assign(notLive(), {recording: recording && this.#recordingURL(recording)}));
    }
  }

  /** The server names it from its own root, which may be below a path. */
  #recordingURL(/** @type {string} */ path) {
    return urlAt(this.#options.endpoint, path.slice(path.lastIndexOf('/recordings/'))).href;
  }

  #begin(/** @type {string} */ mime) {
    if (!canPlay(mime)) {
      this.#lose(new Problem({status: 415, title: 'Not supported', detail: `This browser cannot play ${mime}.`}));
      return;
    }
    this.#mime = mime;
    this.#paused = false;
    const old = this.#player;
    const player = this.#player = new MsePlayer(mime, RESERVE);
    player.failed.then((problem) => {
      if (player === this.#player) this.#lose(problem);
    });
    void this.#look(mime);
    this.#begun();
    if (old && this.#video) void this.#exchange(this.#video, old, player);
  }

  /** A stream holds what comes; what the broadcast has beside that, the server says. */
  async #look(/** @type {string} */ mime) {
    const comes = {video: PICTURE.test(mime), audio: SOUND.test(mime)};
    const {name, endpoint} = this.#options;
    /** @type {string[]} */
    let has = [];
    if (!comes.video || !comes.audio) {
      const broadcast = await broadcastOf(endpoint, name).catch(() => null);
      has = (broadcast?.tracks ?? []).map((/** @type {{kind: string}} */ track) => track.kind);
    }
    if (mime !== this.#mime) return; // there is a newer one already
    const of = (/** @type {'video' | 'audio'} */ kind) => comes[kind] || (has.includes(kind) ? false : null);
    this.#media = {video: of('video'), audio: of('audio')};
    this.#options.onMedia(false);
  }

  /** Goes over to the next player, without a black moment. */
  async #exchange(/** @type {HTMLVideoElement} */ video, /** @type {MsePlayer} */ old, /** @type {MsePlayer} */ player) {
    const {paused} = video;
    await keepPicture(video);
    old.close();
    if (player !== this.#player) return; // there is a newer one already
    player.attach(video);
    if (!paused) await video.play().catch(() => {}); // interrupted by the next one
  }

  #pushMedia(/** @type {ArrayBuffer} */ data) {
    this.#received += data.byteLength;
    this.#player?.push(data);
  }
}

