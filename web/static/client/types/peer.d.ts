/** The server ended the session for a reason that coming back would not change. */
export const ENDED: 410;
/** @typedef {(detail: string, problem?: Problem) => void} Lost */
/**
 * One PeerConnection and its session resource: what WHIP and WHEP have in
 * common. It lives once: after it is lost or closed, make a new one.
 */
export class PeerSession {
    /**
     * @param {object} options
     * @param {string} options.endpoint base URL of the server; '' is where this library came from
     * @param {number} options.patience milliseconds an accepted session may take until media can flow
     * @param {(sdp: string) => string} adjust changes the offer before it is applied and sent
     * @param {boolean} [asksWhy] whether to ask why the server ended it, if it does
     */
    constructor({ endpoint, patience }: {
        endpoint: string;
        patience: number;
    }, adjust: (sdp: string) => string, asksWhy?: boolean);
    /**
     * Resolves with the reason when an established connection ends by itself;
     * stays pending when it is closed from this side.
     *
     * @type {Promise<Problem>}
     */
    lost: Promise<Problem>;
    /** @returns {RTCPeerConnection} */
    get pc(): RTCPeerConnection;
    /** @returns {string | null} the id of the session on the server */
    get session(): string | null;
    /** Another one is about to take its place: there is no need to ask why the server ends it. */
    leave(): void;
    /**
     * Takes it down on this side only: the server has another session in its place.
     */
    discard(): void;
    /**
     * Makes the offer. It goes out before ICE has gathered anything: the server
     * learns our addresses from our connectivity checks, which saves 130 to
     * 200 ms.
     */
    prepare(): Promise<void>;
    /**
     * Posts the offer, applies the answer and waits until media can flow. May be
     * called again after it threw a Problem with a status: the offer stays good,
     * because the server is ICE-lite and does not call back.
     *
     * @param {URL} url of the WHIP or WHEP endpoint
     * @param {AbortSignal} signal
     * @param {(sdp: string) => string} [adjust] changes the answer before it is applied
     */
    negotiate(url: URL, signal: AbortSignal, adjust?: (sdp: string) => string): Promise<void>;
    /**
     * Ends the session on the server too. Safe to call at any time, also while
     * the page goes away (keepalive lets the request outlive it).
     *
     * @returns {Promise<void>} settled when the server has answered
     */
    close(): Promise<void>;
    #private;
}
export type Lost = (detail: string, problem?: Problem) => void;
import { Problem } from './problem.js';
