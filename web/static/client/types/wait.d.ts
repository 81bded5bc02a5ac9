/**
 * Waiting that can be cut short.
 */
/**
 * Resolves after `ms`, or as soon as one of the signals aborts: the caller
 * looks at them, so stopping needs no exception.
 *
 * @param {number} ms
 * @param {...AbortSignal} signals
 * @returns {Promise<void>}
 */
export function pause(ms: number, ...signals: AbortSignal[]): Promise<void>;
/**
 * The wait before attempt n (from 0): doubling from `first` up to `most`, each
 * spread by ±20 % so that the viewers of a restarted server do not return in
 * one wave.
 *
 * @param {number} attempt
 * @param {{first?: number, most?: number}} [limits] milliseconds
 * @returns {number} milliseconds
 */
export function backoff(attempt: number, { first, most }?: {
    first?: number;
    most?: number;
}): number;
