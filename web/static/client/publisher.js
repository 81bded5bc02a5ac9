import {Problem, problemOf, request, statusOf} from './problem.js';
import {Stateful} from './stateful.js';
import {backoff, pause} from './wait.js';
import {nameProblem, urlOf} from './name.js';
import {ENDED} from './peer.js';
import {Ladder} from './ladder.js';
import {SocketPublishTransport} from './ws-publish.js';
import {KINDS, checkedTexts, plainTexts} from './texts.js';
import {WhipTransport} from './whip.js';

/** Attempts to come back that a server may refuse: about half a minute in all. */
const ATTEMPTS = 8;
/** How long a server is waited for that does not answer at all: it may be started anew. */
const AWAY_MOST_MS = 600_000;
/** How soon it is tried again: 5 s after the server is back, broadcasts go on. */
const AGAIN = {first: 500, most: 2000};
/** How long the server may take to change what is said. */
const SAY_MS = 8000;

/** @typedef {WhipTransport | SocketPublishTransport} Transport */

/**
 * Publishes a MediaStream under a name.
 *
 * States: idle → connecting → live ⇄ reconnecting → ended | failed. A Publisher
 * that ended or failed can be started again.
 *
 * It goes by WebRTC, and where that does not get through by a WebSocket:
 * `transport` tells which it is, `fallbackReason` why it is not WebRTC (a Problem).
 *
 * @fires Publisher#state CustomEvent<{state, previous, problem, transport, fallbackReason}>
 * @fires Publisher#stats CustomEvent<import('./send-stats.js').SendStats>
 */
export class Publisher extends Stateful {
  #options;
  /** @type {Map<string, MediaStreamTrack>} by kind: what is sent now */
  #tracks = new Map();
  #ladder;
  /** @type {Transport | null} */
  #transport = null;
  /** One that was lost. Until the next has taken its place, the server keeps the broadcast for it. */
  #lost = /** @type {Transport | null} */ (null);
  /** @type {AbortController | null} set while started */
  #run = null;
  /** @type {string | null} */
  #replaces;
  #onPageHide;

  /**
   * @param {object} options
   * @param {string} options.name          1 to 4 segments joined by '/'
   * @param {MediaStream} options.stream   at most one track of each kind is sent
   * @param {string} [options.endpoint]    base URL of the server; where this library came from if absent
   * @param {string} [options.title]       what people read, in any script: at most 120 characters in one line
   * @param {string} [options.description] at most 2000 characters, also in several lines
   * @param {boolean} [options.record]     whether the server records it (default true)
   * @param {number} [options.videoBitrate] ceiling in bits per second (default 2.5 million)
   * @param {number} [options.audioBitrate] ceiling in bits per second (default 128 000, 64 000 for a sound of one channel)
   * @param {'vp8' | 'vp9' | 'av1' | 'h264'} [options.videoCodec] over WebRTC, if the browser has it (default vp8,
   *   which every viewer and every WebM player can decode)
   * @param {'auto' | 'webrtc' | 'websocket'} [options.transport] one of them only (default auto)
   * @param {string | null} [options.replaces] the `session` of a Publisher of this name, of a page that was
   *   left: the broadcast goes on
   * @param {boolean} [options.stays] whether the broadcast is kept for a while when the page is left, for one that
   *   comes with `replaces`; else it ends at once (default false)
   */
  constructor({name, stream, endpoint = '', record = true, videoBitrate = 2_500_000,
    audioBitrate, videoCodec = 'vp8', transport = 'auto', replaces = null, stays = false, title = '', description = ''}) {
    super();
    const wrong = nameProblem(name);
    if (wrong) throw new TypeError(wrong);
    for (const track of [...stream.getAudioTracks(), ...stream.getVideoTracks()]) {
      if (!this.#tracks.has(track.kind)) this.#tracks.set(track.kind, track);
    }
    if (this.#tracks.size === 0) throw new TypeError('the stream has no tracks');
    this.#options = {name, endpoint, record, videoBitrate, audioBitrate, videoCodec, stays, ...checkedTexts({title, description})};
    this.#replaces = replaces;
    this.#onPageHide = () => (stays ? this.#leave() : void this.stop());
    this.#ladder = new Ladder(transport, {webrtc: WhipTransport, websocket: SocketPublishTransport});
  }

  get name() {
    return this.#options.name;
  }

  /** Base URL of the server; '' is where this library came from. */
  get endpoint() {
    return this.#options.endpoint;
  }

  /** What is said of the broadcast. @returns {import('./texts.js').Texts} */
  get texts() {
    const {title, description} = this.#options;
    return {title, description};
  }

  /** @returns {'webrtc' | 'websocket'} */
  get transport() {
    return this.#ladder.transport;
  }

  /** @returns {string | null} the id of the session on the server */
  get session() {
    return (this.#transport ?? this.#lost)?.session ?? null;
  }

  /** @protected */
  get stateDetail() {
    const {transport, fallbackReason} = this.#ladder;
    return {transport, fallbackReason, detour: fallbackReason}; // detour: its former name
  }

  /**
   * Goes live. Resolves when media flows or stop() came first; rejects with a
   * Problem when that failed, after the state became `failed`.
   */
  async start() {
    if (this.#run) return;
    const {signal} = (this.#run = new AbortController());
    addEventListener('pagehide', this.#onPageHide);
    this.setState('connecting');
    try {
      await this.#open(signal);
    } catch (error) {
      if (signal.aborted) return;
      this.#fail(error);
      throw error;
    }
    this.#stayLive(signal);
  }

  /** Ends the broadcast. Resolves when the server knows. */
  async stop() {
    if (!this.#run) return;
    const transport = this.#end();
    this.setState('ended');
    await transport?.close();
  }

  /**
   * Sends another track in place of the one of its kind, without a gap.
   *
   * @param {MediaStreamTrack} track
   */
  async replaceTrack(track) {
    if (!this.#tracks.has(track.kind)) {
      throw new TypeError(`the broadcast has no ${track.kind} track`);
    }
    await this.#transport?.replaceTrack(track);
    this.#tracks.set(track.kind, track); // a reconnection sends the new one
  }

  /**
   * Changes what is said of the broadcast, also while it is live: what is absent stays, ''
   * takes a text away. Rejects with a TypeError when one is too long, and with a Problem, and
   * nothing is changed, when the server does not take it. A page of another origin than the
   * server's may not do so while live.
   *
   * @param {Partial<import('./texts.js').Texts>} change
   */
  async describe(change) {
    const before = this.texts;
    Object.assign(this.#options, checkedTexts({...before, ...change}));
    try {
      if (this.state === 'live') await this.#say(); // else it is said as soon as it is
    } catch (error) {
      Object.assign(this.#options, before);
      throw error;
    }
  }

  /**
   * What the server says of the broadcast by now, since others may change it too: a
   * publisher that comes back says that again, and not what was said before.
   *
   * @param {Partial<import('./texts.js').Texts>} now
   */
  described(now) {
    const texts = plainTexts(now);
    Object.assign(this.#options, texts);
    if (this.#transport) this.#transport.said = texts;
  }

  /** Tells the server what it does not know yet. */
  async #say() {
    const transport = this.#transport;
    const {texts} = this;
    const said = transport?.said ?? texts;
    const news = Object.fromEntries(KINDS.filter((kind) => texts[kind] !== said[kind]).map((kind) => [kind, texts[kind]]));
    if (!transport || Object.keys(news).length === 0) return;
    await request(urlOf(this.#options.endpoint, '/api/v1/streams/', this.name), {
      method: 'PATCH', headers: {'Content-Type': 'application/json'}, body: JSON.stringify(news), signal: AbortSignal.timeout(SAY_MS),
    });
    transport.said = texts;
  }

  /** @returns {Promise<import('./send-stats.js').SendStats | null>} null while not connected */
  async stats() {
    return (await this.#transport?.stats()) ?? null;
  }

  /** By the best transport that connects. It takes the place of one that was lost, over either transport. */
  async #open(/** @type {AbortSignal} */ signal) {
    for (;;) {
      const transport = this.#ladder.make({
        ...this.#options,
        tracks: [...this.#tracks.values()],
        replaces: this.#lost?.session ?? this.#replaces,
      });
      this.#transport = transport;
      try {
        await transport.open(signal);
        this.#ladder.worked();
        this.#lost?.discard();
        this.#lost = null;
        this.#replaces = null;
        return;
      } catch (error) {
        const closed = this.#inherits(transport, signal) ? undefined : transport.close();
        if (this.#transport === transport) this.#transport = null;
        if (signal.aborted || !this.#ladder.failed(error)) throw error;
        await closed; // until then the name belongs to the session that did not connect
        if (signal.aborted) throw error;
        this.emitState(this.state, this.problem);
      }
    }
  }

  /**
   * Whether a transport that did not get through has the broadcast all the same: the
   * server has given it the place of the one that was lost. To close it would be to end
   * the broadcast, so that the next one takes its place.
   *
   * @param {Transport} transport
   * @param {AbortSignal} signal
   */
  #inherits(transport, signal) {
    if (!this.#lost || signal.aborted || !transport.session) return false;
    transport.leave();
    this.#lost.discard();
    this.#lost = transport;
    return true;
  }

  /** Lives as long as the broadcast: comes back each time it is lost. */
  async #stayLive(/** @type {AbortSignal} */ signal) {
    for (;;) {
      const transport = this.#transport;
      if (!transport) return; // stopped
      this.setState('live');
      this.#say().catch(() => {}); // a page of another origin may not
      this.startStats(() => transport.stats());
      const problem = await transport.lost;
      if (signal.aborted) return;
      this.stopStats();
      if (problem.status === ENDED) return this.#fail(problem);
      this.setState('reconnecting', problem);
      transport.leave();
      this.#lost = transport;
      if (!await this.#reconnect(signal)) return;
    }
  }

  /** @returns {Promise<boolean>} false when given up or stopped */
  async #reconnect(/** @type {AbortSignal} */ signal) {
    const since = performance.now();
    for (let attempt = 0, refused = 0; !signal.aborted; attempt++) {
      if (attempt > 0) await pause(backoff(attempt - 1, AGAIN), signal);
      if (signal.aborted) break;
      try {
        await this.#open(signal);
        return true;
      } catch (error) {
        if (signal.aborted) break;
        const problem = problemOf(error);
        if (problem.status !== 0) refused++;
        // 409: the server has not yet noticed that our old session is gone.
        const again = error instanceof Problem && problem.temporary || statusOf(error) === 409;
        if (!again || refused >= ATTEMPTS || performance.now() - since > AWAY_MOST_MS) {
          this.#fail(error);
          break;
        }
        this.setState('reconnecting', problem);
      }
    }
    return false;
  }

  /** The page goes, and the broadcast stays for another one that takes its place. */
  #leave() {
    this.#transport?.leave();
    this.#run?.abort();
    this.#run = null;
    this.stopStats();
  }

  /** Ends the broadcast of the transport that was lost. */
  async #giveUp() {
    const lost = this.#lost;
    this.#lost = null;
    await lost?.close();
  }

  #fail(/** @type {unknown} */ error) {
    void this.#end()?.close();
    this.setState('failed', problemOf(error));
  }

  /** Takes everything down on this side; returns the transport to close. */
  #end() {
    removeEventListener('pagehide', this.#onPageHide);
    this.stopStats();
    this.#run?.abort();
    this.#run = null;
    void this.#giveUp();
    const transport = this.#transport;
    this.#transport = null;
    return transport;
  }
}
