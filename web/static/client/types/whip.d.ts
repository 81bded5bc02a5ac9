/**
 * @typedef {object} PublishOptions
 * @property {string} name
 * @property {string} endpoint
 * @property {MediaStreamTrack[]} tracks at most one of each kind
 * @property {boolean} record
 * @property {string} title
 * @property {string} description
 * @property {number} videoBitrate   bits per second
 * @property {number} [audioBitrate] bits per second; what the sound is worth if absent
 * @property {'vp8' | 'vp9' | 'av1' | 'h264'} videoCodec
 * @property {number} patience       milliseconds that connecting may take
 * @property {string | null} replaces the session of ours whose place it takes
 * @property {boolean} stays          whether the broadcast is kept for a while when the page is left
 */
/**
 * Sends tracks over WebRTC, signalled by WHIP (RFC 9725). One of the transports
 * a Publisher can use; they share this shape: open(), lost, replaceTrack(),
 * stats(), close().
 */
export class WhipTransport {
    /**
     * @param {PublishOptions} options
     */
    constructor(options: PublishOptions);
    /** What the server was told of the broadcast. @type {import('./texts.js').Texts | undefined} */
    said: import("./texts.js").Texts | undefined;
    get lost(): Promise<import("./problem.js").Problem>;
    /** @param {AbortSignal} signal */
    open(signal: AbortSignal): Promise<void>;
    /** @param {MediaStreamTrack} track takes the place of the one of its kind */
    replaceTrack(track: MediaStreamTrack): Promise<void>;
    /** @returns {Promise<import('./send-stats.js').SendStats>} */
    stats(): Promise<import("./send-stats.js").SendStats>;
    /** @returns {string | null} what another one can take the place of */
    get session(): string | null;
    /** Lost, and another one is to take its place: until then the server is not to take it for stopped. */
    leave(): void;
    /** Another one has taken its place. */
    discard(): void;
    close(): Promise<void>;
    #private;
}
export type PublishOptions = {
    name: string;
    endpoint: string;
    /**
     * at most one of each kind
     */
    tracks: MediaStreamTrack[];
    record: boolean;
    title: string;
    description: string;
    /**
     * bits per second
     */
    videoBitrate: number;
    /**
     * bits per second; what the sound is worth if absent
     */
    audioBitrate?: number | undefined;
    videoCodec: "vp8" | "vp9" | "av1" | "h264";
    /**
     * milliseconds that connecting may take
     */
    patience: number;
    /**
     * the session of ours whose place it takes
     */
    replaces: string | null;
    /**
     * whether the broadcast is kept for a while when the page is left
     */
    stays: boolean;
};
