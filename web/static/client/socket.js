import {Problem} from './problem.js';

/** How long the server may take to accept the connection. */
const OPEN_MS = 8000;
/** What the codes of a Close frame (RFC 6455 section 7.4.1) would be as a status. */
/** @type {Record<number, number>} */
const STATUS = {1003: 415, 1008: 400, 1009: 413, 1011: 500};

/**
 * A WebSocket of weir: binary messages are media, text messages JSON objects
 * with a `type`. It lives once: after it is lost or closed, make a new one.
 */
export class Socket {
  /**
   * Resolves with the reason when the connection ends or cannot be made; stays
   * pending when it is closed from this side.
   *
   * @type {Promise<Problem>}
   */
  lost;

  #ws;
  #closed = false;
  /** @type {{title: string, detail: string} | null} what the server said before it closed */
  #said = null;
  #opened = false;

  /**
   * @param {URL} url of http or https
   * @param {{text: (message: any) => void, binary?: (data: ArrayBuffer) => void}} on
   *   called for each message; an `error` goes into `lost` instead
   */
  constructor(url, on) {
    const address = new URL(url);
    address.protocol = url.protocol.replace('http', 'ws');
    this.#ws = new WebSocket(address);
    this.#ws.binaryType = 'arraybuffer';
    this.#ws.addEventListener('message', ({data}) => this.#onMessage(data, on));
    this.lost = new Promise((resolve) => {
      this.#ws.addEventListener('close', ({code}) => {
        if (!this.#closed) resolve(this.#reason(code));
      });
    });
  }

  /** Bytes handed over that the network has not taken yet. */
  get waiting() {
    return this.#ws.bufferedAmount;
  }

  /**
   * Resolves when messages can be sent; rejects with the Problem of `lost`.
   *
   * @param {AbortSignal} signal
   */
  async open(signal) {
    const opened = new Promise((resolve) => {
      if (this.#ws.readyState === WebSocket.OPEN) resolve(null);
      this.#ws.addEventListener('open', () => resolve(null), {once: true});
    });
    await within(OPEN_MS, signal, opened, this.lost);
    this.#opened = true;
  }

  /** @param {object | Blob} message an object goes out as JSON */
  send(message) {
    // A message that comes too late is lost with the connection; the browser would warn.
    if (this.#ws.readyState !== WebSocket.OPEN) return;
    this.#ws.send(message instanceof Blob ? message : JSON.stringify(message));
  }

  close() {
    this.#closed = true;
    this.#ws.close(1000);
  }

  #onMessage(/** @type {string | ArrayBuffer} */ data, /** @type {{text: (message: any) => void, binary?: (data: ArrayBuffer) => void}} */ on) {
    if (this.#closed) return;
    if (typeof data !== 'string') {
      on.binary?.(data);
      return;
    }
    const message = parsed(data);
    if (message?.type === 'error') this.#said = message;
    else if (message) on.text(message);
  }

  #reason(/** @type {number} */ code) {
    const status = STATUS[code] ?? 0;
    if (this.#said) return new Problem({status, title: String(this.#said.title), detail: String(this.#said.detail)});
    // The browser keeps to itself whether the server refused or was not there.
    if (!this.#opened) return new Problem({title: 'No connection', detail: 'The WebSocket could not be opened.'});
    return new Problem({status, title: 'Connection lost', detail: 'The connection was lost.'});
  }
}

/**
 * Waits for `done`, but not longer than allowed, and not when `lost` settles
 * first: then it throws that Problem.
 *
 * @template T
 * @param {number} ms
 * @param {AbortSignal} signal
 * @param {Promise<T>} done
 * @param {Promise<Problem>} lost
 * @returns {Promise<T>}
 */
export function within(ms, signal, done, lost) {
  return new Promise((resolve, reject) => {
    const fail = (/** @type {unknown} */ error) => settle(() => reject(error));
    const stopped = () => fail(new DOMException('stopped', 'AbortError'));
    const late = new Problem({title: 'No answer', detail: 'The server did not answer in time.'});
    const timer = Number.isFinite(ms) ? setTimeout(() => fail(late), ms) : undefined;
    const settle = (/** @type {() => void} */ how) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stopped);
      how();
    };
    signal.addEventListener('abort', stopped);
    done.then((value) => settle(() => resolve(value)), fail);
    lost.then(fail);
    if (signal.aborted) stopped();
  });
}

/** Text that is not an object is for a newer page than this one. */
function parsed(/** @type {string} */ text) {
  try {
    return Object(JSON.parse(text));
  } catch {
    return null;
  }
}
