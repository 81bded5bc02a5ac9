/** @typedef {WhipTransport | SocketPublishTransport} Transport */
/**
 * Publishes a MediaStream under a name.
 *
 * States: idle → connecting → live ⇄ reconnecting → ended | failed. A Publisher
 * that ended or failed can be started again.
 *
 * It goes by WebRTC, and where that does not get through by a WebSocket:
 * `transport` tells which it is, `fallbackReason` why it is not WebRTC (a Problem).
 *
 * @fires Publisher#state CustomEvent<{state, previous, problem, transport, fallbackReason}>
 * @fires Publisher#stats CustomEvent<import('./send-stats.js').SendStats>
 */
export class Publisher extends Stateful {
    /**
     * @param {object} options
     * @param {string} options.name          1 to 4 segments joined by '/'
     * @param {MediaStream} options.stream   at most one track of each kind is sent
     * @param {string} [options.endpoint]    base URL of the server; where this library came from if absent
     * @param {string} [options.title]       what people read, in any script: at most 120 characters in one line
     * @param {string} [options.description] at most 2000 characters, also in several lines
     * @param {boolean} [options.record]     whether the server records it (default true)
     * @param {number} [options.videoBitrate] ceiling in bits per second (default 2.5 million)
     * @param {number} [options.audioBitrate] ceiling in bits per second (default 128 000, 64 000 for a sound of one channel)
     * @param {'vp8' | 'vp9' | 'av1' | 'h264'} [options.videoCodec] over WebRTC, if the browser has it (default vp8,
     *   which every viewer and every WebM player can decode)
     * @param {'auto' | 'webrtc' | 'websocket'} [options.transport] one of them only (default auto)
     * @param {string | null} [options.replaces] the `session` of a Publisher of this name, of a page that was
     *   left: the broadcast goes on
     * @param {boolean} [options.stays] whether the broadcast is kept for a while when the page is left, for one that
     *   comes with `replaces`; else it ends at once (default false)
     */
    constructor({ name, stream, endpoint, record, videoBitrate, audioBitrate, videoCodec, transport, replaces, stays, title, description }: {
        name: string;
        stream: MediaStream;
        endpoint?: string | undefined;
        title?: string | undefined;
        description?: string | undefined;
        record?: boolean | undefined;
        videoBitrate?: number | undefined;
        audioBitrate?: number | undefined;
        videoCodec?: "vp8" | "vp9" | "av1" | "h264" | undefined;
        transport?: "auto" | "webrtc" | "websocket" | undefined;
        replaces?: string | null | undefined;
        stays?: boolean | undefined;
    });
    get name(): string;
    /** Base URL of the server; '' is where this library came from. */
    get endpoint(): string;
    /** What is said of the broadcast. @returns {import('./texts.js').Texts} */
    get texts(): import("./texts.js").Texts;
    /** @returns {'webrtc' | 'websocket'} */
    get transport(): "webrtc" | "websocket";
    /** @returns {string | null} the id of the session on the server */
    get session(): string | null;
    /** @protected */
    protected get stateDetail(): {
        transport: "webrtc" | "websocket";
        fallbackReason: Problem | null;
        detour: Problem | null;
    };
    /**
     * Goes live. Resolves when media flows or stop() came first; rejects with a
     * Problem when that failed, after the state became `failed`.
     */
    start(): Promise<void>;
    /** Ends the broadcast. Resolves when the server knows. */
    stop(): Promise<void>;
    /**
     * Sends another track in place of the one of its kind, without a gap.
     *
     * @param {MediaStreamTrack} track
     */
    replaceTrack(track: MediaStreamTrack): Promise<void>;
    /**
     * Changes what is said of the broadcast, also while it is live: what is absent stays, ''
     * takes a text away. Rejects with a TypeError when one is too long, and with a Problem, and
     * nothing is changed, when the server does not take it. A page of another origin than the
     * server's may not do so while live.
     *
     * @param {Partial<import('./texts.js').Texts>} change
     */
    describe(change: Partial<import("./texts.js").Texts>): Promise<void>;
    /**
     * What the server says of the broadcast by now, since others may change it too: a
     * publisher that comes back says that again, and not what was said before.
     *
     * @param {Partial<import('./texts.js').Texts>} now
     */
    described(now: Partial<import("./texts.js").Texts>): void;
    /** @returns {Promise<import('./send-stats.js').SendStats | null>} null while not connected */
    stats(): Promise<import("./send-stats.js").SendStats | null>;
    #private;
}
export type Transport = WhipTransport | SocketPublishTransport;
import { Stateful } from './stateful.js';
import { Problem } from './problem.js';
import { WhipTransport } from './whip.js';
import { SocketPublishTransport } from './ws-publish.js';
