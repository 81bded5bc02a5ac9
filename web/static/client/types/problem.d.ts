/**
 * Makes a Problem of anything that was thrown.
 *
 * @param {unknown} thrown
 * @returns {Error}
 */
export function errorOf(thrown: unknown): Error;
/**
 * @param {unknown} thrown
 * @returns {number | undefined} the status of a Problem; undefined of anything else
 */
export function statusOf(thrown: unknown): number | undefined;
/**
 * @param {unknown} thrown
 * @returns {Problem} what was thrown, in a form that can be shown
 */
export function problemOf(thrown: unknown): Problem;
/**
 * Turns an answer that is not 2xx into a Problem.
 *
 * @param {Response} response
 * @returns {Promise<Problem>}
 */
export function problemFrom(response: Response): Promise<Problem>;
/**
 * fetch() that fails with a Problem: no network, no answer in time, or a
 * status that is not 2xx.
 *
 * @param {string | URL} url
 * @param {RequestInit} [init]
 * @returns {Promise<Response>}
 */
export function request(url: string | URL, init?: RequestInit): Promise<Response>;
/** The `type` of the Problem of a server that answers while no media gets through. */
export const NO_PATH: "urn:weir:no-media-path";
/** The `type` of the Problem of a server that does not know a session which it had: it was started anew. */
export const NO_SESSION: "urn:weir:no-session";
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
    constructor({ status, type, title, detail, retryAfter, cause }?: {
        status?: number;
        type?: string;
        title?: string;
        detail?: string;
        retryAfter?: number;
        cause?: unknown;
    });
    status: number;
    type: string;
    title: string;
    detail: string;
    retryAfter: number | undefined;
    /** Whether the same request may well succeed a little later. */
    get temporary(): boolean;
}
