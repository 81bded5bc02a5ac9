import {NO_PATH, Problem, problemOf, statusOf} from './problem.js';

/** How long WebRTC may take to connect while there is something to fall back on. */
const BRIEFLY_MS = 4000;
/** And where there is nothing else. */
const PATIENTLY_MS = 12000;
/** The server answered that it cannot use what the browser's WebRTC offers. */
const UNSUPPORTED = 422;

/**
 * The transports to the server, best first: WebRTC, then a WebSocket. It decides
 * which is next, and goes down for reasons the other one would not share: a
 * name that is taken is taken there too.
 *
 * @template A, B
 */
export class Ladder {
  #rungs;
  #auto;
  #at;
  /** Whether WebRTC ever worked: then a server out of reach says nothing of it. */
  #proven = false;
  /** Whether the reason to leave WebRTC will be there the next time too. */
  #lasting = false;
  /** @type {Problem | null} */
  #cause = null;

  /**
   * @param {'auto' | 'webrtc' | 'websocket'} transport
   * @param {{webrtc: new (options: any) => A, websocket: (new (options: any) => B) & {supported: boolean}}} rungs
   *   classes of transports; that of the WebSocket tells by its static `supported` whether it can be used here
   */
  constructor(transport, rungs) {
    if (!['auto', 'webrtc', 'websocket'].includes(transport)) throw new TypeError(`no transport ${transport}`);
    this.#rungs = rungs;
    this.#auto = transport === 'auto' && rungs.websocket.supported;
    /** @type {'webrtc' | 'websocket'} */
    this.#at = transport === 'auto' ? 'webrtc' : transport;
    if (this.#auto && !('RTCPeerConnection' in globalThis)) {
      this.#down(new Problem({title: 'No WebRTC', detail: 'This browser has no WebRTC.'}), true);
    }
  }

  /** @returns {'webrtc' | 'websocket'} */
  get transport() {
    return this.#at;
  }

  /** @returns {Problem | null} why it is not WebRTC; null also where that was not tried */
  get fallbackReason() {
    return this.#cause;
  }

  /**
   * @param {object} options for the transport
   * @returns {A | B}
   */
  make(options) {
    if (this.#at === 'webrtc' && !('RTCPeerConnection' in globalThis)) {
      throw new Problem({status: UNSUPPORTED, title: 'No WebRTC', detail: 'This browser has no WebRTC.'});
    }
    if (this.#at === 'websocket' && !this.#rungs.websocket.supported) {
      throw new Problem({status: UNSUPPORTED, title: 'Not supported',
        detail: 'This browser cannot do this over a WebSocket.'});
    }
    return new this.#rungs[this.#at]({...options, patience: this.#auto ? BRIEFLY_MS : PATIENTLY_MS});
  }

  /** The transport in use connected. */
  worked() {
    this.#proven ||= this.#at === 'webrtc';
  }

  /**
   * The transport in use could not be opened.
   *
   * @param {unknown} error
   * @returns {boolean} whether to try at once with the one that `transport` names now
   */
  failed(error) {
    if (!this.#auto) return false;
    if (this.#at === 'websocket') {
      // Neither transport connected: that was the network, not WebRTC.
      if (!this.#lasting && statusOf(error) === 0) this.#up();
      return false;
    }
    // An error that is no Problem was thrown by the browser's own WebRTC.
    const lasting = !(error instanceof Problem) || error.type === NO_PATH || error.status === UNSUPPORTED;
    if (!lasting && (error.status !== 0 || this.#proven)) return false;
    this.#down(problemOf(error), lasting);
    return true;
  }

  #down(/** @type {Problem} */ cause, /** @type {boolean} */ lasting) {
    this.#at = 'websocket';
    this.#cause = cause;
    this.#lasting = lasting;
  }

  #up() {
    this.#at = 'webrtc';
    this.#cause = null;
  }
}
