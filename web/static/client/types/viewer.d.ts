/** @typedef {WhepTransport | SocketWatchTransport} Transport */
/**
 * Why nothing comes: the server has nothing from the publisher, or has it and it does not
 * get through to here, or does not answer; null while that is not known.
 *
 * @typedef {'publisher' | 'connection' | 'server' | null} AwayReason
 */
/**
 * What ends a transport: with the URL of the recording, where the server told it, and
 * whether the browser found nothing to play the sound on.
 *
 * @typedef {import('./problem.js').Problem & {recording?: string | null, noOutput?: boolean}} End
 */
/**
 * Plays a broadcast in a video element; waits for it when it is not live, and
 * for the next one when it has ended.
 *
 * States: idle → connecting → waiting | live; live → reconnecting → live |
 * ended; ended → live; failed when the server refuses for good; idle after
 * stop().
 *
 * It goes by WebRTC, and where that does not get through by a WebSocket and
 * Media Source Extensions: `transport` says which it is, `fallbackReason`
 * why it is not WebRTC (a Problem). `recording` is the URL of the recording of a
 * broadcast that has ended, where the server told it (over a WebSocket).
 *
 * @fires Viewer#state CustomEvent<{state, previous, problem, transport, fallbackReason, recording}>
 * @fires Viewer#stats CustomEvent<import('./receive-stats.js').ReceiveStats>
 * @fires Viewer#autoplay CustomEvent<'sound' | 'muted' | 'blocked'>
 * @fires Viewer#media CustomEvent<import('./lineup.js').Media> while live, whether picture and sound
 *   come: as soon as that is known, and when it changes. Sound is heard while the picture is missing,
 *   and what comes late is put in by itself
 * @fires Viewer#away CustomEvent<boolean> true when, while live, nothing has come for some
 *   2 s; false when there are pictures again. Told again when `awayReason` is known
 * @fires Viewer#paused CustomEvent<boolean> true when, while live, the picture has stood still for
 *   some 5 s and the sound goes on: a camera that is off, a screen on which nothing moves
 */
export class Viewer extends Stateful {
    /**
     * @param {object} options
     * @param {string} options.name
     * @param {HTMLVideoElement} options.video
     * @param {string} [options.endpoint] base URL of the server; where this library came from if absent
     * @param {'auto' | 'webrtc' | 'websocket'} [options.transport] one of them only (default auto)
     */
    constructor({ name, video, endpoint, transport }: {
        name: string;
        video: HTMLVideoElement;
        endpoint?: string | undefined;
        transport?: "auto" | "webrtc" | "websocket" | undefined;
    });
    get name(): string;
    /** @returns {'webrtc' | 'websocket'} */
    get transport(): "webrtc" | "websocket";
    /** @returns {import('./lineup.js').Media | null} as `media` events tell it; null while it is not known */
    get media(): import("./lineup.js").Media | null;
    /** @returns {AwayReason} */
    get awayReason(): AwayReason;
    /** @protected */
    protected get stateDetail(): {
        transport: "webrtc" | "websocket";
        fallbackReason: Problem | null;
        detour: Problem | null;
        recording: string | null;
    };
    /** Starts watching or waiting; everything after that is told by events. */
    start(): void;
    /** Stops watching. Resolves when the server knows. */
    stop(): Promise<void>;
    /** @returns {Promise<import('./receive-stats.js').ReceiveStats | null>} null while not live */
    stats(): Promise<import("./receive-stats.js").ReceiveStats | null>;
    #private;
}
export type Transport = WhepTransport | SocketWatchTransport;
/**
 * Why nothing comes: the server has nothing from the publisher, or has it and it does not
 * get through to here, or does not answer; null while that is not known.
 */
export type AwayReason = "publisher" | "connection" | "server" | null;
/**
 * What ends a transport: with the URL of the recording, where the server told it, and
 * whether the browser found nothing to play the sound on.
 */
export type End = import("./problem.js").Problem & {
    recording?: string | null;
    noOutput?: boolean;
};
import { Stateful } from './stateful.js';
import { Problem } from './problem.js';
import { WhepTransport } from './whep.js';
import { SocketWatchTransport } from './ws-watch.js';
