import {Latency} from './latency.js';
import {Rate, codecOf, ofType, roundTrip, sum} from './stats.js';

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
  #pc;
  #bytes = new Rate();
  #frames = new Rate();
  #latency = new Latency();

  /** @param {RTCPeerConnection} pc */
  constructor(pc) {
    this.#pc = pc;
  }

  /** @returns {Promise<ReceiveStats>} */
  async read() {
    const report = await this.#pc.getStats();
    const received = ofType(report, 'inbound-rtp');
    const video = received.find((rtp) => rtp.kind === 'video');
    const audio = received.find((rtp) => rtp.kind === 'audio');
    const now = performance.now();
    const total = sum(received, 'bytesReceived');
    const bytes = this.#bytes.next(received.length ? total : undefined, now);
    const rtt = roundTrip(report);
    const {latency, basis} = this.#latency.next(video ?? audio, rtt);
    return {
      width: video?.frameWidth ?? null,
      height: video?.frameHeight ?? null,
      fps: this.#frames.next(video?.framesDecoded, now),
      bitrate: bytes === null ? null : bytes * 8,
      videoCodec: codecOf(report, video),
      audioCodec: codecOf(report, audio),
      packetsLost: sum(received, 'packetsLost'),
      framesDecoded: video?.framesDecoded ?? 0,
      framesDropped: video?.framesDropped ?? 0,
      bytesReceived: total,
      rtt,
      latency,
      latencyBasis: basis,
    };
  }
}
