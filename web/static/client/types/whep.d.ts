/**
 * @typedef {object} WatchOptions
 * @property {string} name
 * @property {string} endpoint
 * @property {number} patience milliseconds that connecting may take
 * @property {(anew: boolean) => void} onMedia called when `media` has changed; anew: play() is to be called again
 */
/**
 * Receives a broadcast over WebRTC, signalled by WHEP. One of the transports a
 * Viewer can use; they share this shape: open(), attach(), lost, media, stats(),
 * paused, close(). open() throws a Problem with status 409 while no publisher is live and
 * may then be called again.
 */
export class WhepTransport {
    /**
     * @param {WatchOptions} options
     */
    constructor(options: WatchOptions);
    get lost(): Promise<import("./problem.js").Problem>;
    /** @param {AbortSignal} signal */
    open(signal: AbortSignal): Promise<void>;
    /**
     * Gives the element its media: of the tracks that the server has, those that come.
     *
     * @param {HTMLVideoElement} video
     */
    attach(video: HTMLVideoElement): void;
    /** @returns {import('./lineup.js').Media | null} null until it is known */
    get media(): import("./lineup.js").Media | null;
    /** @returns {boolean | null} whether the picture stands still; null: that is not known here */
    get paused(): boolean | null;
    /** @returns {Promise<import('./receive-stats.js').ReceiveStats>} */
    stats(): Promise<import("./receive-stats.js").ReceiveStats>;
    close(): Promise<void>;
    #private;
}
export type WatchOptions = {
    name: string;
    endpoint: string;
    /**
     * milliseconds that connecting may take
     */
    patience: number;
    /**
     * called when `media` has changed; anew: play() is to be called again
     */
    onMedia: (anew: boolean) => void;
};
