/**
 * Sends tracks over a WebSocket, as the bytes a MediaRecorder makes of them:
 * for networks and browsers where WebRTC does not get through. One of the
 * transports a Publisher can use; see whip.js for their shape.
 */
export class SocketPublishTransport {
    /** Whether this browser can do it. */
    static get supported(): boolean;
    /** @param {import('./whip.js').PublishOptions} options */
    constructor(options: import("./whip.js").PublishOptions);
    /** @type {Promise<Problem>} */
    lost: Promise<Problem>;
    /** What the server was told of the broadcast. @type {import('./texts.js').Texts | undefined} */
    said: import("./texts.js").Texts | undefined;
    /** @param {AbortSignal} signal */
    open(signal: AbortSignal): Promise<void>;
    /** @param {MediaStreamTrack} track takes the place of the one of its kind */
    replaceTrack(track: MediaStreamTrack): Promise<void>;
    /** @returns {Promise<import('./send-stats.js').SendStats>} */
    stats(): Promise<import("./send-stats.js").SendStats>;
    /** Ends the broadcast; resolves when all that was recorded has been sent. */
    close(): Promise<void>;
    /** @returns {string | null} what another one can take the place of */
    get session(): string | null;
    /** Lost, and another one is to take its place: the server is not to take it for stopped. */
    leave(): void;
    /** Another one has taken its place. */
    discard(): void;
    #private;
}
import { Problem } from './problem.js';
