import {NO_PATH, NO_SESSION, Problem, problemOf, request} from './problem.js';
import {urlAt} from './home.js';

/** How long `disconnected` may last: ICE often recovers within it by itself. */
const DISCONNECTED_MS = 4000;
/** How long the server may take to answer the offer. */
const ANSWER_MS = 10000;
/** How long the connection is kept for the server to say that it ended it. */
const RELEASE_MS = 500;
/** How long close() waits for that before it gives up on the answer. */
const RELEASED_MS = 3000;

/** How often it is looked whether anything comes. */
const LOOK_MS = 1000;
/** With so many looks in a row at which nothing had come, the server is asked for the session. */
const QUIET_LOOKS = 2;
/** How long it may take to answer that. */
const ALIVE_MS = 3000;

/** The server ended the session for a reason that coming back would not change. */
export const ENDED = 410;

/** @typedef {(detail: string, problem?: Problem) => void} Lost */

/**
 * One PeerConnection and its session resource: what WHIP and WHEP have in
 * common. It lives once: after it is lost or closed, make a new one.
 */
export class PeerSession {
  /**
   * Resolves with the reason when an established connection ends by itself;
   * stays pending when it is closed from this side.
   *
   * @type {Promise<Problem>}
   */
  lost;

  #pc = new RTCPeerConnection({bundlePolicy: 'max-bundle', iceServers: []});
  /** @type {URL | null} */
  #resource = null;
  #endpoint;
  #adjust;
  #patience;
  #asksWhy;
  #closed = false;
  /** Whether the server has ended it. */
  #ended = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #looks;

  /**
   * @param {object} options
   * @param {string} options.endpoint base URL of the server; '' is where this library came from
   * @param {number} options.patience milliseconds an accepted session may take until media can flow
   * @param {(sdp: string) => string} adjust changes the offer before it is applied and sent
   * @param {boolean} [asksWhy] whether to ask why the server ended it, if it does
   */
  constructor({endpoint, patience}, adjust, asksWhy = false) {
    this.#asksWhy = asksWhy;
    this.#endpoint = endpoint;
    this.#adjust = adjust;
    this.#patience = patience;
    this.lost = new Promise((resolve) => this.#watch(resolve));
  }

  /** @returns {RTCPeerConnection} */
  get pc() {
    return this.#pc;
  }

  /** @returns {string | null} the id of the session on the server */
  get session() {
    return this.#resource?.pathname.split('/').pop() ?? null;
  }

  /** Another one is about to take its place: there is no need to ask why the server ends it. */
  leave() {
    this.#asksWhy = false;
  }

  /**
   * Takes it down on this side only: the server has another session in its place.
   */
  discard() {
    this.#resource = null;
    void this.close();
  }

  /**
   * Makes the offer. It goes out before ICE has gathered anything: the server
   * learns our addresses from our connectivity checks, which saves 130 to
   * 200 ms.
   */
  async prepare() {
    if (this.#pc.localDescription) return;
    const {type, sdp} = await this.#pc.createOffer();
    await this.#pc.setLocalDescription({type, sdp: this.#adjust(sdp ?? '')});
  }

  /**
   * Posts the offer, applies the answer and waits until media can flow. May be
   * called again after it threw a Problem with a status: the offer stays good,
   * because the server is ICE-lite and does not call back.
   *
   * @param {URL} url of the WHIP or WHEP endpoint
   * @param {AbortSignal} signal
   * @param {(sdp: string) => string} [adjust] changes the answer before it is applied
   */
  async negotiate(url, signal, adjust = (sdp) => sdp) {
    await this.prepare();
    const sdp = await this.#post(url, signal);
    await this.#pc.setRemoteDescription({type: 'answer', sdp: adjust(sdp)});
    await this.#connected(signal);
  }

  /**
   * Ends the session on the server too. Safe to call at any time, also while
   * the page goes away (keepalive lets the request outlive it).
   *
   * @returns {Promise<void>} settled when the server has answered
   */
  async close() {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    clearInterval(this.#looks);
    // The request first: else the server sees the connection
    // close before it is told why, and takes the end for an accident.
    const released = this.#release();
    await Promise.race([released, delay(RELEASE_MS)]);
    this.#pc.close();
    await Promise.race([released, delay(RELEASED_MS)]);
  }

  async #post(/** @type {URL} */ url, /** @type {AbortSignal} */ signal) {
    // Not tied to `signal`: a request given up half-way could leave a session
    // on the server whose URL is not known, and the name would stay taken.
    const response = await request(url, {
      method: 'POST',
      headers: {'Content-Type': 'application/sdp'},
      body: this.#pc.localDescription?.sdp ?? '',
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const where = response.headers.get('Location');
    if (where) this.#resource = this.#sessionURL(where, response);
    const sdp = await response.text();
    if (this.#closed || signal.aborted) {
      await this.#release();
      throw new DOMException('stopped', 'AbortError');
    }
    return sdp;
  }

  /** A server that does not know that a proxy has put it below a path names it from its own root. */
  #sessionURL(/** @type {string} */ where, /** @type {Response} */ response) {
    const {url, redirected} = response;
    return where.startsWith('/session/') && !redirected ? urlAt(this.#endpoint, where) : new URL(where, url);
  }

  async #release() {
    if (!this.#resource) return;
    const url = this.#resource;
    this.#resource = null;
    // Whether it is gone already or cannot be reached: the server's own
    // timeout ends it, so the outcome changes nothing here.
    await fetch(url, {method: 'DELETE', keepalive: true}).catch(() => {});
  }

  /** @returns {Promise<void>} */
  #connected(/** @type {AbortSignal} */ signal) {
    const pc = this.#pc;
    return new Promise((resolve, reject) => {
      const check = () => {
        if (pc.connectionState === 'connected') settle();
        if (pc.connectionState === 'failed') settle(noPath());
      };
      const stopped = () => settle(new DOMException('stopped', 'AbortError'));
      const timer = setTimeout(() => settle(noPath()), this.#patience);
      const settle = (/** @type {Error | undefined} */ error = undefined) => {
        clearTimeout(timer);
        pc.removeEventListener('connectionstatechange', check);
        signal.removeEventListener('abort', stopped);
        if (error) reject(error);
        else resolve();
      };
      pc.addEventListener('connectionstatechange', check);
      signal.addEventListener('abort', stopped);
      if (signal.aborted) stopped();
      else check();
    });
  }

  #watch(/** @type {(problem: Problem) => void} */ lose) {
    const pc = this.#pc;
    let connected = false;
    /** @type {Lost} */
    const lost = (detail, problem = new Problem({title: 'Connection lost', detail})) => {
      clearTimeout(this.#timer);
      clearInterval(this.#looks);
      if (connected && !this.#closed) lose(problem);
    };
    pc.addEventListener('connectionstatechange', () => {
      clearTimeout(this.#timer);
      switch (pc.connectionState) {
        case 'connected':
          if (!connected) {
            this.#watchTransport(lost);
            this.#watchServer(lost);
          }
          connected = true;
          break;
        case 'disconnected':
          void this.#interrupted(lost);
          break;
        case 'failed':
          lost('The connection was lost.');
          break;
        case 'closed':
          this.#closedByServer(lost);
          break;
      }
    });
  }

  /**
   * A browser may say `disconnected` for one lost check while all else gets
   * through (Firefox, for the 5 seconds until the next one): as long as anything
   * comes, nothing is lost.
   */
  async #interrupted(/** @type {Lost} */ lost) {
    const before = await received(this.#pc);
    if (this.#pc.connectionState !== 'disconnected') return;
    this.#timer = setTimeout(async () => {
      const after = await received(this.#pc);
      if (this.#pc.connectionState !== 'disconnected') return;
      if (after > before) void this.#interrupted(lost);
      else lost('The connection was interrupted.');
    }, DISCONNECTED_MS);
  }

  /**
   * A server that was killed says nothing, and ICE takes 10 s and more to notice. As
   * soon as nothing comes, it is asked whether it still has the session: one that
   * was started anew has not. One that cannot be asked either is gone, for now.
   */
  #watchServer(/** @type {Lost} */ lost) {
    let bytes = -1;
    let quiet = 0;
    let asking = false;
    this.#looks = setInterval(async () => {
      const now = await received(this.#pc);
      quiet = now === bytes ? quiet + 1 : 0;
      bytes = now;
      if (quiet < QUIET_LOOKS || quiet % QUIET_LOOKS > 0 || asking || !this.#resource) return;
      asking = true;
      const problem = await request(this.#resource, {signal: AbortSignal.timeout(ALIVE_MS)}).then(() => null, problemOf);
      asking = false;
      if (await received(this.#pc) > bytes) return;
      if (problem?.status === 404) lost('', new Problem({type: NO_SESSION, title: 'Connection lost', detail: 'The server was started anew.'}));
      else if (problem?.status === ENDED) lost(problem.message, this.#asksWhy ? problem : undefined);
      else if (problem?.status === 0) lost(problem.message, problem);
    }, LOOK_MS);
  }

  /**
   * A DTLS close from the server shows on the transport at once; not every
   * browser maps it to a connectionState.
   */
  #watchTransport(/** @type {Lost} */ lost) {
    const [first] = this.#pc.getTransceivers();
    const transport = first?.sender.transport ?? first?.receiver.transport;
    transport?.addEventListener('statechange', () => {
      if (transport.state === 'closed') this.#closedByServer(lost);
    });
  }

  /** There is no session left to end: asking for more than the reason would only be an error. */
  async #closedByServer(/** @type {Lost} */ lost) {
    if (this.#ended) return;
    this.#ended = true;
    const url = this.#resource;
    if (!this.#closed) this.#resource = null;
    const problem = this.#asksWhy && url && await request(url, {signal: AbortSignal.timeout(ANSWER_MS)}).catch((error) => error);
    lost('The server closed the connection.', problem?.status === ENDED ? problem : undefined);
  }
}

/** @returns {Promise<number>} bytes that have come, of whatever kind */
async function received(/** @type {RTCPeerConnection} */ pc) {
  let bytes = 0;
  for (const entry of (await pc.getStats()).values()) {
    if (entry.type === 'candidate-pair') bytes += entry.bytesReceived ?? 0;
  }
  return bytes;
}

function noPath() {
  return new Problem({
    type: NO_PATH,
    title: 'No media path',
    detail: 'The server answered, but no media connection came about. A firewall may block UDP.',
  });
}

function delay(/** @type {number} */ ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
