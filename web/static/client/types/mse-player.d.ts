/** @param {string} mime */
export function canPlay(mime: string): boolean;
/**
 * Plays one live stream of WebM or MP4 that is pushed into it piece by piece. Another
 * init segment is another player.
 */
export class MsePlayer {
    /**
     * @param {string} mime exactly as the server says it
     * @param {import('./live-edge.js').Reserve} reserve
     */
    constructor(mime: string, reserve: import("./live-edge.js").Reserve);
    /**
     * Resolves when it can play no more, else stays pending; then with a Problem that has
     * `noOutput` where the browser found nothing to play the sound on.
     *
     * @type {Promise<Problem>}
     */
    failed: Promise<Problem>;
    /** @param {ArrayBuffer | Uint8Array<ArrayBuffer>} piece */
    push(piece: ArrayBuffer | Uint8Array<ArrayBuffer>): void;
    /** @param {HTMLVideoElement} video */
    attach(video: HTMLVideoElement): void;
    /** @returns {number | null} milliseconds from the picture to the newest data */
    get behind(): number | null;
    /** Resolves when what is buffered has been played, or that takes too long. */
    playedOut(): Promise<void>;
    /** Takes no more. The last picture stays in the element. */
    close(): void;
    #private;
}
import { Problem } from './problem.js';
