import {PeerSession} from './peer.js';
import {broadcastOf, notLive} from './live.js';
import {urlOf} from './name.js';
import {ReceiveMeter} from './receive-stats.js';

/**
 * Receives a broadcast over WebRTC, signalled by WHEP. One of the transports a
 * Viewer can use; they share this shape: open(), attach(), lost, stats(),
 * close(). open() throws a Problem with status 409 while nobody broadcasts and
 * may then be called again.
 */
export class WhepTransport {
  #peer;
  #meter;
  #options;

  /** @param {{name: string, endpoint: string, patience: number}} options patience: milliseconds that connecting may take */
  constructor(options) {
    this.#options = options;
    this.#peer = new PeerSession(options);
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
    // The offer is made while the question is on its way.
    const [broadcast] = await Promise.all([broadcastOf(endpoint, name, signal), this.#peer.prepare()]);
    if (broadcast?.state !== 'live') throw notLive(); // connecting: its media may never come
    await this.#peer.negotiate(urlOf(endpoint, '/whep/', name), signal);
  }

  /**
   * Gives the element its media. Only tracks the server really sends: an
   * element waits for ever for a video track that never brings a frame.
   *
   * @param {HTMLVideoElement} video
   */
  attach(video) {
    const tracks = this.#peer.pc.getTransceivers()
      .filter((transceiver) => transceiver.currentDirection === 'recvonly')
      .map((transceiver) => transceiver.receiver.track);
    video.removeAttribute('src');
    video.srcObject = new MediaStream(tracks);
  }

  /** @returns {Promise<import('./receive-stats.js').ReceiveStats>} */
  stats() {
    return this.#meter.read();
  }

  close() {
    return this.#peer.close();
  }
}
