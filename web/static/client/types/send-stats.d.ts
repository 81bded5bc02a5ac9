/**
 * Figures of what is being sent; null where not known (yet).
 *
 * @typedef {object} SendStats
 * @property {number | null} width      of the coded picture
 * @property {number | null} height
 * @property {number | null} fps        frames encoded per second
 * @property {number | null} bitrate    bits per second, all tracks
 * @property {string | null} videoCodec such as 'vp8'
 * @property {string | null} audioCodec
 * @property {number | null} rtt        round trip to the server, ms
 * @property {number} packetsLost       as reported by the server
 * @property {number | null} packetsSent null over a WebSocket
 * @property {string | null} limitedBy  'bandwidth' or 'cpu' while the picture is held back
 */
export class SendMeter {
    /** @param {RTCPeerConnection} pc */
    constructor(pc: RTCPeerConnection);
    /** @returns {Promise<SendStats>} */
    read(): Promise<SendStats>;
    #private;
}
/**
 * Figures of what is being sent; null where not known (yet).
 */
export type SendStats = {
    /**
     * of the coded picture
     */
    width: number | null;
    height: number | null;
    /**
     * frames encoded per second
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
     * round trip to the server, ms
     */
    rtt: number | null;
    /**
     * as reported by the server
     */
    packetsLost: number;
    /**
     * null over a WebSocket
     */
    packetsSent: number | null;
    /**
     * 'bandwidth' or 'cpu' while the picture is held back
     */
    limitedBy: string | null;
};
