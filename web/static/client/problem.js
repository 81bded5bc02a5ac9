/** The `type` of the Problem of a server that answers while no media gets through. */
export const NO_PATH = 'urn:weir:no-media-path';
/** The `type` of the Problem of a server that does not know a session which it had: it was started anew. */
export const NO_SESSION = 'urn:weir:no-session';

/**
 * What went wrong, in a form that can be shown: the server's
 * application/problem+json (RFC 9457), or our own words when there was no
 * answer. `message` is always a sentence for people.
 */
export class Problem extends Error {
  /**
   * @param {{status?: number, type?: string, title?: string, detail?: string,
   *          retryAfter?: number, cause?: unknown}} fields
   *   status 0 means that no answer came; retryAfter is in milliseconds
   */
  constructor({status = 0, type = 'about:blank', title = '', detail = '', retryAfter, cause} = {}) {
    super(detail || title || 'Something went wrong.', {cause});
    this.name = 'Problem';
    this.status = status;
    this.type = type;
    this.title = title;
    this.detail = detail;
    this.retryAfter = retryAfter;
  }

  /** Whether the same request may well succeed a little later. */
  get temporary() {
    return this.status === 0 || this.status === 408 || this.status === 425 ||
      this.status === 429 || this.status >= 500;
  }
}

/**
 * Makes a Problem of anything that was thrown.
 *
 * @param {unknown} thrown
 * @returns {Error}
 */
export function errorOf(thrown) {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/**
 * @param {unknown} thrown
 * @returns {number | undefined} the status of a Problem; undefined of anything else
 */
export function statusOf(thrown) {
  return thrown instanceof Problem ? thrown.status : undefined;
}

/**
 * @param {unknown} thrown
 * @returns {Problem} what was thrown, in a form that can be shown
 */
export function problemOf(thrown) {
  return thrown instanceof Problem ? thrown : new Problem({detail: errorOf(thrown).message, cause: thrown});
}

/**
 * Turns an answer that is not 2xx into a Problem.
 *
 * @param {Response} response
 * @returns {Promise<Problem>}
 */
export async function problemFrom(response) {
  /** @type {{status: number, title: string, retryAfter?: number, type?: string, detail?: string}} */
  const fields = {
    status: response.status,
    title: response.statusText || `The server answered ${response.status}.`,
    retryAfter: retryAfter(response.headers.get('Retry-After')),
  };
  if (/\bjson\b/.test(response.headers.get('Content-Type') ?? '')) {
    // A body that is not what it says is no second problem: keep the status.
    const body = await response.json().catch(() => null);
    for (const key of /** @type {const} */ (['type', 'title', 'detail'])) {
      if (typeof body?.[key] === 'string' && body[key] !== '') fields[key] = body[key];
    }
  }
  return new Problem(fields);
}

/**
 * fetch() that fails with a Problem: no network, no answer in time, or a
 * status that is not 2xx.
 *
 * @param {string | URL} url
 * @param {RequestInit} [init]
 * @returns {Promise<Response>}
 */
export async function request(url, init) {
  let response;
  try {
    response = await fetch(url, init);
  } catch (cause) {
    if (init?.signal?.aborted && errorOf(cause).name === 'AbortError') throw cause;
    throw new Problem({title: 'No answer', detail: 'The server cannot be reached.', cause});
  }
  if (!response.ok) throw await problemFrom(response);
  return response;
}

/** Retry-After in seconds; the date form is not used by weir. */
function retryAfter(/** @type {string | null} */ header) {
  const seconds = Number(header);
  return header && Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}
