/**
 * How fast to play. Catching up begins late and ends late, so that the pitch does
 * not waver.
 *
 * @param {number} excess seconds by which more is left than has to be
 * @param {{rate: number, target: number, fresh: boolean}} now the rate at which it
 *   plays, what has to be left, in seconds, and whether it has only just begun
 * @returns {number}
 */
export function rateFor(excess: number, { rate, target, fresh }: {
    rate: number;
    target: number;
    fresh: boolean;
}): number;
/**
 * Where it goes on after a gap that the player has come to, or that it seeks to
 * shortly before: the decoders would wait for what is missing for ever.
 *
 * @param {TimeRanges} buffered
 * @param {number} time
 * @returns {number | null} null where what comes next is there, or not there yet
 */
export function gapEnd(buffered: TimeRanges, time: number): number | null;
/**
 * @typedef {object} Reserve how much of what has come is kept unplayed, in seconds
 * @property {number} least what has to be left when the next piece comes
 * @property {number} start what the browser wants to have before it begins
 */
/**
 * Keeps a video element close to the end of a buffer that grows: a little
 * faster when it has fallen behind, a jump when that is much or there is a gap.
 *
 * The distance to the end swings with the size of the pieces, and what matters
 * is only how little is left before the next one comes: with that it neither
 * waits longer than it has to for small pieces, nor runs dry with large ones.
 */
export class LiveEdge {
    /**
     * @param {HTMLVideoElement} video
     * @param {Reserve} reserve
     */
    constructor(video: HTMLVideoElement, reserve: Reserve);
    /** @returns {number | null} seconds from the picture to the end of the buffer */
    get behind(): number | null;
    /** To be called often: whenever the buffer grew, and now and then besides. */
    steer(): void;
    close(): void;
    #private;
}
/** The least of the values of the last one to two windows. */
export class Least {
    /**
     * @param {number} value
     * @param {number} at milliseconds
     * @returns {number}
     */
    next(value: number, at: number): number;
    clear(): void;
    #private;
}
/**
 * how much of what has come is kept unplayed, in seconds
 */
export type Reserve = {
    /**
     * what has to be left when the next piece comes
     */
    least: number;
    /**
     * what the browser wants to have before it begins
     */
    start: number;
};
