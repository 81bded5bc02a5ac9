/**
 * The transports to the server, best first: WebRTC, then a WebSocket. It decides
 * which is next, and goes down for reasons the other one would not share: a
 * name that is taken is taken there too.
 *
 * @template A, B
 */
export class Ladder<A, B> {
    /**
     * @param {'auto' | 'webrtc' | 'websocket'} transport
     * @param {{webrtc: new (options: any) => A, websocket: (new (options: any) => B) & {supported: boolean}}} rungs
     *   classes of transports; that of the WebSocket tells by its static `supported` whether it can be used here
     */
    constructor(transport: "auto" | "webrtc" | "websocket", rungs: {
        webrtc: new (options: any) => A;
        websocket: (new (options: any) => B) & {
            supported: boolean;
        };
    });
    /** @returns {'webrtc' | 'websocket'} */
    get transport(): "webrtc" | "websocket";
    /** @returns {Problem | null} why it is not WebRTC; null also where that was not tried */
    get fallbackReason(): Problem | null;
    /**
     * @param {object} options for the transport
     * @returns {A | B}
     */
    make(options: object): A | B;
    /** The transport in use connected. */
    worked(): void;
    /**
     * The transport in use could not be opened.
     *
     * @param {unknown} error
     * @returns {boolean} whether to try at once with the one that `transport` names now
     */
    failed(error: unknown): boolean;
    #private;
}
import { Problem } from './problem.js';
