/**
 * Receives a broadcast over a WebSocket, as WebM or MP4 for Media Source Extensions:
 * for networks and browsers where WebRTC does not get through. One of the
 * transports a Viewer can use; see whep.js for their shape. While no publisher
 * is live the second open() waits on the connection of the first.
 */
export class SocketWatchTransport {
    /** Whether this browser can do it. */
    static get supported(): boolean;
    /** @param {import('./whep.js').WatchOptions} options */
    constructor(options: import("./whep.js").WatchOptions);
    /**
     * Resolves with a Problem whose status is 409 when the broadcast is over,
     * then also with its `recording`, the URL of it, if there is one.
     *
     * @type {Promise<Problem>}
     */
    lost: Promise<Problem>;
    /** @param {AbortSignal} signal */
    open(signal: AbortSignal): Promise<void>;
    /** @param {HTMLVideoElement} video */
    attach(video: HTMLVideoElement): Promise<void>;
    /** @returns {import('./lineup.js').Media | null} null until it is known */
    get media(): import("./lineup.js").Media | null;
    /** Whether the picture stands still: what comes of it are repetitions. */
    get paused(): boolean;
    /** @returns {Promise<import('./receive-stats.js').ReceiveStats>} */
    stats(): Promise<import("./receive-stats.js").ReceiveStats>;
    close(): Promise<void>;
    #private;
}
import { Problem } from './problem.js';
