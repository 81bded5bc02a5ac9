/**
 * Feeds a SourceBuffer, which takes one piece at a time, and throws away what
 * was played.
 */
export class AppendQueue {
    /**
     * @param {() => number} position of what is on the screen, in seconds
     * @param {(why: string) => void} fail called once it can go no further
     */
    constructor(position: () => number, fail: (why: string) => void);
    /**
     * @param {SourceBuffer} buffer
     * @param {() => void} grown called each time all there is was appended
     */
    start(buffer: SourceBuffer, grown: () => void): void;
    /** @param {ArrayBuffer | Uint8Array<ArrayBuffer>} piece */
    push(piece: ArrayBuffer | Uint8Array<ArrayBuffer>): void;
    close(): void;
    #private;
}
/**
 * Tells a player how long each frame lasts. Of the newest one it believes what the
 * header says of all, which is more than true. Where there is sound Chromium goes
 * by that; without it would play what has not come yet. Firefox decodes no more
 * than ten pictures that have not ended, and shows late ones or none; and without
 * the header's word it guesses, sees holes where that was too little, stops there,
 * and drops all pictures up to the next keyframe. So each picture waits here for
 * the next one, and what comes behind it waits too.
 *
 * It takes the messages of a feed: a header, then blocks, in either framing.
 */
export class Durations {
    /**
     * @param {ArrayBuffer} message
     * @returns {Uint8Array<ArrayBuffer>} what can be appended; may be empty
     */
    next(message: ArrayBuffer): Uint8Array<ArrayBuffer>;
    #private;
}
