import {PeerSession} from './peer.js';
import {opusBitrate, withOpus} from './opus.js';
import {urlOf} from './name.js';
import {sayIn} from './texts.js';
import {startBitrate} from './start-bitrate.js';
import {SendMeter} from './send-stats.js';

/**
 * @typedef {object} PublishOptions
 * @property {string} name
 * @property {string} endpoint
 * @property {MediaStreamTrack[]} tracks at most one of each kind
 * @property {boolean} record
 * @property {string} title
 * @property {string} description
 * @property {number} videoBitrate   bits per second
 * @property {number} [audioBitrate] bits per second; what the sound is worth if absent
 * @property {'vp8' | 'vp9' | 'av1' | 'h264'} videoCodec
 * @property {number} patience       milliseconds that connecting may take
 * @property {string | null} replaces the session of ours whose place it takes
 * @property {boolean} stays          whether the broadcast is kept for a while when the page is left
 */

/**
 * Sends tracks over WebRTC, signalled by WHIP (RFC 9725). One of the transports
 * a Publisher can use; they share this shape: open(), lost, replaceTrack(),
 * stats(), close().
 */
export class WhipTransport {
  /** What the server was told of the broadcast. @type {import('./texts.js').Texts | undefined} */
  said;
  #peer;
  #meter;
  #options;

  /**
   * @param {PublishOptions} options
   */
  constructor(options) {
    this.#options = options;
    // Always: another track may take the place of a sound that is mono now.
    this.#peer = new PeerSession(options, (sdp) => withOpus(sdp, {stereo: 1, 'sprop-stereo': 1}), true);
    this.#meter = new SendMeter(this.#peer.pc);
  }

  get lost() {
    return this.#peer.lost;
  }

  /** @param {AbortSignal} signal */
  async open(signal) {
    const {name, endpoint, tracks, record, replaces, stays} = this.#options;
    for (const track of tracks) await this.#add(track);
    const url = urlOf(endpoint, '/whip/', name);
    if (!record) url.searchParams.set('record', 'false');
    if (stays) url.searchParams.set('stays', 'true');
    if (replaces) url.searchParams.set('replaces', replaces);
    this.said = sayIn(url, this.#options);
    await this.#peer.negotiate(url, signal, (sdp) => this.#encoded(sdp));
  }

  /** @param {MediaStreamTrack} track takes the place of the one of its kind */
  async replaceTrack(track) {
    const sender = this.#peer.pc.getSenders().find((s) => s.track?.kind === track.kind);
    if (!sender) throw new TypeError(`the broadcast has no ${track.kind} track`);
    await sender.replaceTrack(track);
    await prefer(sender, track, this.#ceiling(track));
  }

  /** @returns {Promise<import('./send-stats.js').SendStats>} */
  stats() {
    return this.#meter.read();
  }

  /** @returns {string | null} what another one can take the place of */
  get session() {
    return this.#peer.session;
  }

  /** Lost, and another one is to take its place: until then the server is not to take it for stopped. */
  leave() {
    this.#peer.leave();
  }

  /** Another one has taken its place. */
  discard() {
    this.#peer.discard();
  }

  close() {
    return this.#peer.close();
  }

  async #add(/** @type {MediaStreamTrack} */ track) {
    const maxBitrate = this.#ceiling(track);
    const transceiver = this.#peer.pc.addTransceiver(track, {direction: 'sendonly', sendEncodings: [{maxBitrate}]});
    if (track.kind !== 'video') return;
    preferCodec(transceiver, this.#options.videoCodec);
    await prefer(transceiver.sender, track, maxBitrate);
  }

  #ceiling(/** @type {MediaStreamTrack} */ track) {
    const {videoBitrate, audioBitrate} = this.#options;
    return track.kind === 'video' ? videoBitrate : (audioBitrate ?? opusBitrate(track));
  }

  /** The answer with what the encoders are to know. Firefox goes by that alone for sound. */
  #encoded(/** @type {string} */ sdp) {
    const {videoBitrate, audioBitrate} = this.#options;
    return startBitrate(withOpus(sdp, {stereo: 1, maxaveragebitrate: audioBitrate ?? opusBitrate(undefined)}), videoBitrate);
  }
}

/** The server takes the first codec of an offer. The others stay in it, in the browser's order. */
function preferCodec(/** @type {RTCRtpTransceiver} */ transceiver, /** @type {string} */ name) {
  const codecs = RTCRtpSender.getCapabilities('video')?.codecs ?? [];
  const wanted = (/** @type {{mimeType: string}} */ codec) => codec.mimeType.toLowerCase() === `video/${name}`;
  if (!codecs.some(wanted)) return;
  transceiver.setCodecPreferences([...codecs.filter(wanted), ...codecs.filter((c) => !wanted(c))]);
}

/** A shared screen must stay readable, a camera must stay smooth; two channels need more than one. */
async function prefer(/** @type {RTCRtpSender} */ sender, /** @type {MediaStreamTrack} */ track, /** @type {number} */ maxBitrate) {
  const screen = track.contentHint === 'detail' || track.contentHint === 'text';
  const parameters = sender.getParameters();
  for (const encoding of parameters.encodings ?? []) encoding.maxBitrate = maxBitrate;
  if (track.kind === 'video') parameters.degradationPreference = screen ? 'maintain-resolution' : 'maintain-framerate';
  // A hint: browsers that do not know the field may refuse it, and lose nothing.
  await sender.setParameters(parameters).catch(() => {});
}
