import {broadcastOf, notLive} from './live.js';
import {NO_SESSION, Problem, problemOf, statusOf} from './problem.js';
import {Stateful} from './stateful.js';
import {backoff, pause} from './wait.js';
import {nameProblem} from './name.js';
import {playAloud} from './autoplay.js';
import {Ladder} from './ladder.js';
import {SocketWatchTransport} from './ws-watch.js';
import {WhepTransport} from './whep.js';

/** Never wait longer than this for the next look, whatever Retry-After says. */
const RETRY_MOST_MS = 2000;
const RETRY_MS = 1000;
const AGAIN = {first: 500, most: 2000};
/** How long a publisher has to come back after a restart of the server, before its broadcast is called ended. */
const RETURN_MS = 10000;
/** An offer is posted again and again while waiting, but not for ever: the
 * addresses in it change when a phone changes networks. */
const OFFER_MOST_MS = 30000;
/** Seconds without a byte after which it is told that nothing comes. */
const AWAY_TICKS = 2;
/** Seconds without a byte after which the server is asked whether it is over. */
const STALLED_TICKS = 3;
/** Seconds without a picture, while there is sound, after which it is told that it stands still. */
const PAUSED_TICKS = 5;
/** A viewer that loses the connection sooner than this after it came about does not come back at once. */
const SHORT_MS = 2000;

/** @typedef {WhepTransport | SocketWatchTransport} Transport */

/**
 * Why nothing comes: the server has nothing from the publisher, or has it and it does not
 * get through to here, or does not answer; null while that is not known.
 *
 * @typedef {'publisher' | 'connection' | 'server' | null} AwayReason
 */

/**
 * What ends a transport: with the URL of the recording, where the server told it, and
 * whether the browser found nothing to play the sound on.
 *
 * @typedef {import('./problem.js').Problem & {recording?: string | null, noOutput?: boolean}} End
 */

/**
 * Plays a broadcast in a video element; waits for it when it is not live, and
 * for the next one when it has ended.
 *
 * States: idle → connecting → waiting | live; live → reconnecting → live |
 * ended; ended → live; failed when the server refuses for good; idle after
 * stop().
 *
 * It goes by WebRTC, and where that does not get through by a WebSocket and
 * Media Source Extensions: `transport` says which it is, `fallbackReason`
 * why it is not WebRTC (a Problem). `recording` is the URL of the recording of a
 * broadcast that has ended, where the server told it (over a WebSocket).
 *
 * @fires Viewer#state CustomEvent<{state, previous, problem, transport, fallbackReason, recording}>
 * @fires Viewer#stats CustomEvent<import('./receive-stats.js').ReceiveStats>
 * @fires Viewer#autoplay CustomEvent<'sound' | 'muted' | 'blocked'>
 * @fires Viewer#media CustomEvent<import('./lineup.js').Media> while live, whether picture and sound
 *   come: as soon as that is known, and when it changes. Sound is heard while the picture is missing,
 *   and what comes late is put in by itself
 * @fires Viewer#away CustomEvent<boolean> true when, while live, nothing has come for some
 *   2 s; false when there are pictures again. Told again when `awayReason` is known
 * @fires Viewer#paused CustomEvent<boolean> true when, while live, the picture has stood still for
 *   some 5 s and the sound goes on: a camera that is off, a screen on which nothing moves
 */
export class Viewer extends Stateful {
  #options;
  #ladder;
  /** @type {(Transport & {made: number}) | null} */
  #transport = null;
  /** @type {string | null} */
  #recording = null;
  #away = false;
  /** @type {AwayReason} */
  #awayReason = null;
  /** Packets that the server had of the publisher when it was asked last. */
  #counted = -1;
  /** Since its loss the server did not answer, or did not know the session: it was started anew. */
  #restarted = false;
  /** When it answered again; 0: not yet. */
  #answered = 0;
  #paused = false;
  /** Whether the browser has found nothing to play sound on; muted it plays all the same. */
  #noOutput = false;
  /** What was told last, as JSON. */
  #told = '';
  /** @type {AbortController | null} set while started */
  #run = null;
  #onPageHide = () => void this.stop();

  /**
   * @param {object} options
   * @param {string} options.name
   * @param {HTMLVideoElement} options.video
   * @param {string} [options.endpoint] base URL of the server; where this library came from if absent
   * @param {'auto' | 'webrtc' | 'websocket'} [options.transport] one of them only (default auto)
   */
  constructor({name, video, endpoint = '', transport = 'auto'}) {
    super();
    const wrong = nameProblem(name);
    if (wrong) throw new TypeError(wrong);
    this.#options = {name, video, endpoint};
    this.#ladder = new Ladder(transport, {webrtc: WhepTransport, websocket: SocketWatchTransport});
  }

  get name() {
    return this.#options.name;
  }

  /** @returns {'webrtc' | 'websocket'} */
  get transport() {
    return this.#ladder.transport;
  }

  /** @returns {import('./lineup.js').Media | null} as `media` events tell it; null while it is not known */
  get media() {
    return this.state === 'live' ? (this.#transport?.media ?? null) : null;
  }

  /** @returns {AwayReason} */
  get awayReason() {
    return this.#awayReason;
  }

  /** @protected */
  get stateDetail() {
    const {transport, fallbackReason} = this.#ladder;
    return {transport, fallbackReason, detour: fallbackReason, recording: this.#recording}; // detour: its former name
  }

  /** Starts watching or waiting; everything after that is told by events. */
  start() {
    if (this.#run) return;
    this.#run = new AbortController();
    addEventListener('pagehide', this.#onPageHide);
    this.setState('connecting');
    void this.#loop(this.#run.signal);
  }

  /** Stops watching. Resolves when the server knows. */
  async stop() {
    if (!this.#run) return;
    const transport = this.#end();
    this.setState('idle');
    await transport?.close();
  }

  /** @returns {Promise<import('./receive-stats.js').ReceiveStats | null>} null while not live */
  async stats() {
    return this.state === 'live' ? ((await this.#transport?.stats()) ?? null) : null;
  }

  async #loop(/** @type {AbortSignal} */ signal) {
    for (let failures = 0; !signal.aborted;) {
      try {
        await this.#open(signal);
        const began = performance.now();
        await this.#play(signal);
        if (performance.now() - began > SHORT_MS) failures = 0;
        else await this.#pause(backoff(failures++, AGAIN), signal);
      } catch (error) {
        if (signal.aborted) return;
        failures = statusOf(error) === 409 ? 0 : failures + 1; // waiting is no failure
        const wait = this.#judge(error, failures - 1);
        if (wait === null) return;
        await this.#pause(wait, signal);
      }
    }
  }

  /** A transport whose offer the server did not want yet is used again. */
  async #open(/** @type {AbortSignal} */ signal) {
    const {name, endpoint} = this.#options;
    const old = this.#transport;
    if (old && performance.now() - old.made > OFFER_MOST_MS) this.#drop();
    const transport = this.#transport ??= Object.assign(
      this.#ladder.make({name, endpoint, onMedia: (/** @type {boolean} */ anew) => this.#onMedia(anew)}), {made: performance.now()});
    try {
      await transport.open(signal);
      this.#ladder.worked();
    } catch (error) {
      if (statusOf(error) === 409) throw error;
      if (this.#transport === transport) this.#drop();
      if (signal.aborted || !this.#ladder.failed(error)) throw error;
      this.emitState(this.state, this.problem);
      await this.#open(signal);
    }
  }

  /** Resolves when the connection is lost or the broadcast is over. */
  async #play(/** @type {AbortSignal} */ signal) {
    const {video} = this.#options;
    const transport = this.#transport;
    if (!transport) return; // stopped
    await transport.attach(video);
    if (signal.aborted) return;
    this.#recording = null;
    this.#restarted = false;
    this.#answered = 0;
    this.setState('live');
    this.#told = '';
    this.#onMedia(true);
    /** @type {Promise<End>} */
    const stalled = new Promise((resolve) => this.#watchStall(transport, resolve));
    /** @type {End} */
    const problem = await Promise.race([transport.lost, stalled]);
    if (signal.aborted) return;
    this.stopStats();
    this.#gone(false);
    this.#stands(false);
    this.#drop();
    this.#recording = problem.recording ?? null;
    this.#noOutput = problem.noOutput ?? false;
    this.#restarted = problem.type === NO_SESSION;
    // Over or only interrupted? Where it is not said, the next POST tells: 201
    // goes on, 409 is the end.
    if (problem.status === 409) this.setState('ended');
    else this.setState('reconnecting', problem);
  }

  /**
   * Most ends show as a closed connection. Where nothing arrives and the
   * connection still stands, the API is asked; a silent source stays.
   */
  #watchStall(/** @type {Transport} */ transport, /** @type {(end: End) => void} */ lose) {
    const {name, endpoint} = this.#options;
    let bytes = -1;
    let frames = -1;
    let ticks = 0;
    let still = 0;
    this.startStats(async () => {
      const figures = await transport.stats();
      if (transport !== this.#transport) return null; // it is over meanwhile
      ticks = figures.bytesReceived === bytes ? ticks + 1 : 0;
      bytes = figures.bytesReceived;
      still = figures.framesDecoded === frames ? still + 1 : 0;
      frames = figures.framesDecoded;
      this.#gone(ticks >= AWAY_TICKS);
      const paused = transport.paused ?? (still >= PAUSED_TICKS && transport.media?.video === true && transport.media.audio === true);
      this.#stands(paused && !this.#away);
      if (ticks === AWAY_TICKS || (ticks > 0 && ticks % STALLED_TICKS === 0)) {
        // Where the server cannot be asked, that is for the connection to notice.
        const broadcast = await broadcastOf(endpoint, name).catch(() => undefined);
        if (broadcast === null) lose(notLive());
        else if (ticks >= AWAY_TICKS) this.#explain(broadcast);
      }
      return figures;
    });
  }

  #onMedia(/** @type {boolean} */ anew) {
    if (this.state !== 'live') return; // it will be told with that
    if (anew) void this.#playAloud();
    const {media} = this;
    const told = JSON.stringify(media);
    if (!media || told === this.#told) return;
    this.#told = told;
    this.dispatchEvent(new CustomEvent('media', {detail: media}));
  }

  async #playAloud() {
    const run = this.#run;
    const how = await playAloud(this.#options.video, this.#noOutput);
    if (run === this.#run) this.dispatchEvent(new CustomEvent('autoplay', {detail: how}));
  }

  #gone(/** @type {boolean} */ away) {
    if (away === this.#away) return;
    this.#away = away;
    this.#awayReason = null;
    this.#counted = -1;
    this.dispatchEvent(new CustomEvent('away', {detail: away}));
    // Not only with the next look: pictures say it sooner.
    if (away) this.#options.video.requestVideoFrameCallback?.(() => this.#gone(false));
  }

  /** Tells why nothing comes, from what the server says; undefined: it does not answer. */
  #explain(/** @type {any} */ broadcast) {
    if (!this.#away) return;
    let count = 0;
    for (const {packets = 0} of broadcast?.tracks ?? []) count += packets;
    /** @type {AwayReason} */
    let reason = 'server';
    if (broadcast?.state === 'waiting') reason = 'publisher';
    else if (broadcast) reason = this.#counted < 0 ? null : count > this.#counted ? 'connection' : 'publisher';
    this.#counted = count;
    if (reason === this.#awayReason) return;
    this.#awayReason = reason;
    this.dispatchEvent(new CustomEvent('away', {detail: true}));
  }

  #stands(/** @type {boolean} */ paused) {
    if (paused === this.#paused) return;
    this.#paused = paused;
    this.dispatchEvent(new CustomEvent('paused', {detail: paused}));
  }

  /** @returns {number | null} how long to wait; null when there is no use */
  #judge(/** @type {unknown} */ error, /** @type {number} */ failures) {
    const problem = problemOf(error);
    if (this.state === 'reconnecting' && problem.status === 0) this.#restarted = true;
    if (problem.status === 409) {
      if (this.#returns()) {
        this.setState('reconnecting', anew());
        return RETRY_MS;
      }
      const over = this.state === 'reconnecting' || this.state === 'ended';
      this.setState(over ? 'ended' : 'waiting');
      return Math.min(problem.retryAfter ?? RETRY_MS, RETRY_MOST_MS);
    }
    if (!problem.temporary) {
      void this.#end()?.close();
      this.setState('failed', problem);
      return null;
    }
    this.setState(this.state, problem); // the same state, with the reason beside it
    return backoff(failures, AGAIN);
  }

  /** Whether the publisher may be on its way back, since the server was started anew a moment ago. */
  #returns() {
    if (this.state !== 'reconnecting' || !this.#restarted) return false;
    this.#answered ||= performance.now();
    return performance.now() - this.#answered < RETURN_MS;
  }

  /** Like pause(), and over at once when the page is looked at again. */
  async #pause(/** @type {number} */ ms, /** @type {AbortSignal} */ signal) {
    const early = new AbortController();
    const look = () => document.hidden || early.abort();
    document.addEventListener('visibilitychange', look);
    await pause(ms, signal, early.signal);
    document.removeEventListener('visibilitychange', look);
  }

  #drop() {
    void this.#transport?.close();
    this.#transport = null;
  }

  /** Takes everything down on this side; returns the transport to close. */
  #end() {
    removeEventListener('pagehide', this.#onPageHide);
    this.stopStats();
    this.#gone(false);
    this.#stands(false);
    this.#run?.abort();
    this.#run = null;
    const {video} = this.#options;
    video.srcObject = null;
    if (video.src) {
      video.removeAttribute('src');
      video.load(); // else it would go on with what it has
    }
    const transport = this.#transport;
    this.#transport = null;
    return transport;
  }
}

function anew() {
  return new Problem({type: NO_SESSION, title: 'The server was started anew',
    detail: 'The server was started anew. This goes on by itself as soon as the broadcaster is back.'});
}
