/** From the epoch of NTP (1900) to that of Unix (1970), in milliseconds. */
const NTP_TO_UNIX = 2208988800000;
/** A latency outside 0 to this cannot be true: the clocks differ. */
const PLAUSIBLE_MS = 10000;

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
  #delay = 0;
  #emitted = 0;
  #decode = 0;
  #decoded = 0;
  /** @type {number | null} */
  #last = null;

  /**
   * @param {any} rtp an inbound-rtp entry
   * @param {number | null} rtt milliseconds
   * @returns {{latency: number | null, basis: 'playout' | 'buffer' | null}}
   */
  next(rtp, rtt) {
    if (!rtp) return {latency: null, basis: null};
    const buffer = this.#buffered(rtp, rtt);
    const playout = behind(rtp.estimatedPlayoutTimestamp, rtp.timestamp);
    if (playout !== null) return {latency: playout, basis: 'playout'};
    return {latency: buffer, basis: buffer === null ? null : 'buffer'};
  }

  #buffered(/** @type {any} */ rtp, /** @type {number | null} */ rtt) {
    const emitted = (rtp.jitterBufferEmittedCount ?? 0) - this.#emitted;
    const decoded = (rtp.framesDecoded ?? 0) - this.#decoded;
    if (emitted > 0) {
      const waited = ((rtp.jitterBufferDelay ?? 0) - this.#delay) / emitted;
      const decoding = decoded > 0 ? ((rtp.totalDecodeTime ?? 0) - this.#decode) / decoded : 0;
      this.#last = (waited + decoding) * 1000 + (rtt ?? 0) / 2;
      this.#delay = rtp.jitterBufferDelay ?? 0;
      this.#emitted = rtp.jitterBufferEmittedCount ?? 0;
      this.#decode = rtp.totalDecodeTime ?? 0;
      this.#decoded = rtp.framesDecoded ?? 0;
    }
    return this.#last;
  }
}

/**
 * @param {number | undefined} playout NTP or Unix milliseconds, browsers differ
 * @param {number} now                 Unix milliseconds
 * @returns {number | null}
 */
function behind(playout, now) {
  if (!playout) return null;
  const unix = playout > NTP_TO_UNIX ? playout - NTP_TO_UNIX : playout;
  const ms = now - unix;
  return ms > 0 && ms < PLAUSIBLE_MS ? ms : null;
}
