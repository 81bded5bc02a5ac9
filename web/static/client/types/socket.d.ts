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
export function within<T>(ms: number, signal: AbortSignal, done: Promise<T>, lost: Promise<Problem>): Promise<T>;
/**
 * A WebSocket of weir: binary messages are media, text messages JSON objects
 * with a `type`. It lives once: after it is lost or closed, make a new one.
 */
export class Socket {
    /**
     * @param {URL} url of http or https
     * @param {{text: (message: any) => void, binary?: (data: ArrayBuffer) => void}} on
     *   called for each message; an `error` goes into `lost` instead
     */
    constructor(url: URL, on: {
        text: (message: any) => void;
        binary?: (data: ArrayBuffer) => void;
    });
    /**
     * Resolves with the reason when the connection ends or cannot be made; stays
     * pending when it is closed from this side.
     *
     * @type {Promise<Problem>}
     */
    lost: Promise<Problem>;
    /** Bytes handed over that the network has not taken yet. */
    get waiting(): number;
    /**
     * Resolves when messages can be sent; rejects with the Problem of `lost`.
     *
     * @param {AbortSignal} signal
     */
    open(signal: AbortSignal): Promise<void>;
    /** @param {object | Blob} message an object goes out as JSON */
    send(message: object | Blob): void;
    close(): void;
    #private;
}
import { Problem } from './problem.js';
