/**
 * Figures of what arrives; null where not known (yet).
 *
 * @typedef {object} ReceiveStats
 * @property {number | null} width         of the decoded picture
 * @property {number | null} height
 * @property {number | null} fps           frames decoded per second
 * @property {number | null} bitrate       bits per second, all tracks
 * @property {string | null} videoCodec    such as 'vp8'
 * @property {string | null} audioCodec
 * @property {number | null} packetsLost   since the connection began; null where nothing can be lost
 * @property {number} framesDecoded
 * @property {number} framesDropped
 * @property {number} bytesReceived
 * @property {number | null} rtt           round trip to the server, ms
 * @property {number | null} latency       ms, see latency.js for what it means
 * @property {'playout' | 'buffer' | null} latencyBasis
 */
export class ReceiveMeter {
    /** @param {RTCPeerConnection} pc */
    constructor(pc: RTCPeerConnection);
    /** @returns {Promise<ReceiveStats>} */
    read(): Promise<ReceiveStats>;
    #private;
}
/**
 * Figures of what arrives; null where not known (yet).
 */
export type ReceiveStats = {
    /**
     * of the decoded picture
     */
    width: number | null;
    height: number | null;
    /**
     * frames decoded per second
     */
    fps: number | null;
    /**
     * bits per second, all tracks
     */
    bitrate: number | null;
    /**
     * such as 'vp8'
     */
    videoCodec: string | null;
    audioCodec: string | null;
    /**
     * since the connection began; null where nothing can be lost
     */
    packetsLost: number | null;
    framesDecoded: number;
    framesDropped: number;
    bytesReceived: number;
    /**
     * round trip to the server, ms
     */
    rtt: number | null;
    /**
     * ms, see latency.js for what it means
     */
    latency: number | null;
    latencyBasis: "playout" | "buffer" | null;
};
