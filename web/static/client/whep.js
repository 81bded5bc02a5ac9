import {Lineup} from './lineup.js';
import {PeerSession} from './peer.js';
import {broadcastOf, notLive} from './live.js';
import {urlOf} from './name.js';
import {withOpus} from './opus.js';
import {ReceiveMeter} from './receive-stats.js';

/**
 * @typedef {object} WatchOptions
 * @property {string} name
 * @property {string} endpoint
 * @property {number} patience milliseconds that connecting may take
 * @property {(anew: boolean) => void} onMedia called when `media` has changed; anew: play() is to be called again
 */

/**
 * Receives a broadcast over WebRTC, signalled by WHEP. One of the transports a
 * Viewer can use; they share this shape: open(), attach(), lost, media, stats(),
 * paused, close(). open() throws a Problem with status 409 while no publisher is live and
 * may then be called again.
 */
export class WhepTransport {
  #peer;
  #meter;
  #options;
  /** @type {Lineup | null} */
  #lineup = null;

  /**
   * @param {WatchOptions} options
   */
  constructor(options) {
    this.#options = options;
    this.#peer = new PeerSession(options, (sdp) => withOpus(sdp, {stereo: 1}));
    this.#meter = new ReceiveMeter(this.#peer.pc);
    for (const kind of ['video', 'audio']) {
      const {receiver} = this.#peer.pc.addTransceiver(kind, {direction: 'recvonly'});
      // Play as early as the network allows; the browser raises it when it must.
      if ('jitterBufferTarget' in receiver) receiver.jitterBufferTarget = 0;
    }
  }

  get lost() {
    return this.#peer.lost;
  }

  /** @param {AbortSignal} signal */
  async open(signal) {
    const {name, endpoint} = this.#options;
    // The offer is made while the question is under way.
    const [broadcast] = await Promise.all([broadcastOf(endpoint, name, signal), this.#peer.prepare()]);
    if (broadcast?.state !== 'live') throw notLive(); // connecting: its media may never come
    await this.#peer.negotiate(urlOf(endpoint, '/whep/', name), signal);
  }

  /**
   * Gives the element its media: of the tracks that the server has, those that come.
   *
   * @param {HTMLVideoElement} video
   */
  attach(video) {
    const tracks = this.#peer.pc.getTransceivers()
      .filter((transceiver) => transceiver.currentDirection === 'recvonly')
      .map((transceiver) => transceiver.receiver.track);
    this.#lineup = new Lineup(tracks, this.#options.onMedia);
    this.#lineup.attach(video);
  }

  /** @returns {import('./lineup.js').Media | null} null until it is known */
  get media() {
    return this.#lineup?.media ?? null;
  }

  /** @returns {boolean | null} whether the picture stands still; null: that is not known here */
  get paused() {
    return null;
  }

  /** @returns {Promise<import('./receive-stats.js').ReceiveStats>} */
  async stats() {
    const stats = await this.#meter.read();
    this.#lineup?.decoded(stats.framesDecoded);
    return stats;
  }

  close() {
    this.#lineup?.close();
    return this.#peer.close();
  }
}
