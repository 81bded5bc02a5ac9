/**
 * @param {RTCStatsReport} report
 * @param {string} type
 * @returns {any[]} in the report's order
 */
export function ofType(report: RTCStatsReport, type: string): any[];
/**
 * The codec of a stream as 'vp8', 'opus'…
 *
 * @param {RTCStatsReport} report
 * @param {{codecId?: string} | undefined} rtp
 * @returns {string | null}
 */
export function codecOf(report: RTCStatsReport, rtp: {
    codecId?: string;
} | undefined): string | null;
/**
 * Round trip to the server in milliseconds, from the pair of addresses in use.
 *
 * @param {RTCStatsReport} report
 * @returns {number | null}
 */
export function roundTrip(report: RTCStatsReport): number | null;
/**
 * @param {any[]} entries
 * @param {string} field
 * @returns {number}
 */
export function sum(entries: any[], field: string): number;
/**
 * What both directions need to turn counters into figures.
 */
/**
 * A counter seen twice. Readings closer together than 400 ms repeat the last
 * rate, so that several readers do not shorten the window into noise.
 */
export class Rate {
    /**
     * @param {number | undefined} value the counter
     * @param {number} at                milliseconds
     * @returns {number | null} growth per second; null until it is known
     */
    next(value: number | undefined, at: number): number | null;
    #private;
}
