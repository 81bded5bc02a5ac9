/**
 * How far the picture on the screen is behind, in milliseconds.
 *
 * Basis 'playout': now minus the server's time of the frame that is on the
 * screen. The server's sender reports tie RTP time to its wall clock, and the
 * browser computes from them which moment it is showing. This covers the path
 * from the server to the screen, and from the camera as far as the server dates
 * frames back to their capture. It needs the viewer's clock to agree with the
 * server's; HTTP's Date header (whole seconds) is too coarse to correct it, so
 * a value is only checked for being possible.
 *
 * Basis 'buffer', where that is not available or not possible: the mean time a
 * frame of the last second spent in the jitter buffer and the decoder, plus
 * half a round trip. This covers only the server-to-screen part; a lower bound.
 */
export class Latency {
    /**
     * @param {any} rtp an inbound-rtp entry
     * @param {number | null} rtt milliseconds
     * @returns {{latency: number | null, basis: 'playout' | 'buffer' | null}}
     */
    next(rtp: any, rtt: number | null): {
        latency: number | null;
        basis: "playout" | "buffer" | null;
    };
    #private;
}
