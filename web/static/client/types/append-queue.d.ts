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
