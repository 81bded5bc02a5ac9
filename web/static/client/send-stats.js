import {Rate, codecOf, ofType, roundTrip, sum} from './stats.js';

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
  #pc;
  #bytes = new Rate();
  #frames = new Rate();

  /** @param {RTCPeerConnection} pc */
  constructor(pc) {
    this.#pc = pc;
  }

  /** @returns {Promise<SendStats>} */
  async read() {
    const report = await this.#pc.getStats();
    const sent = ofType(report, 'outbound-rtp');
    const video = sent.find((rtp) => rtp.kind === 'video');
    const audio = sent.find((rtp) => rtp.kind === 'audio');
    const now = performance.now();
    const bytes = this.#bytes.next(sent.length ? sum(sent, 'bytesSent') : undefined, now);
    return {
      width: video?.frameWidth ?? null,
      height: video?.frameHeight ?? null,
      fps: this.#frames.next(video?.framesEncoded, now),
      bitrate: bytes === null ? null : bytes * 8,
      videoCodec: codecOf(report, video),
      audioCodec: codecOf(report, audio),
      rtt: roundTrip(report),
      packetsLost: sum(ofType(report, 'remote-inbound-rtp'), 'packetsLost'),
      packetsSent: sum(sent, 'packetsSent'),
      limitedBy: limitation(report, video),
    };
  }
}

/** Below this, in bits per second, a network holds the picture back. */
const SLOW = 1_500_000;

/**
 * What holds the picture back. A browser also says "bandwidth" while it climbs
 * from its start at leisure, or stays small because that looks well enough: the
 * network is to blame only if little gets through it.
 */
function limitation(/** @type {RTCStatsReport} */ report, /** @type {any} */ video) {
  const reason = video?.qualityLimitationReason;
  if (reason !== 'bandwidth') return reason === 'cpu' ? reason : null;
  const available = ofType(report, 'candidate-pair').find((pair) => pair.availableOutgoingBitrate !== undefined);
  return available && available.availableOutgoingBitrate > SLOW ? null : reason;
}
