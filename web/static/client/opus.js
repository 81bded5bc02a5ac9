/** What Opus needs for two channels that differ, and for the one of a voice, in bits per second. */
const STEREO = 128_000;
const MONO = 64_000;

/**
 * What a sound is worth. One of which nothing is said may be stereo.
 *
 * @param {MediaStreamTrack | undefined} track
 * @returns {number} bits per second
 */
export function opusBitrate(track) {
  return track?.getSettings().channelCount === 1 ? MONO : STEREO;
}

/**
 * Sets parameters of Opus (RFC 7587 section 6.1) in an SDP. Without `stereo=1` a
 * browser decodes to one channel, and sends one to a receiver that does not ask for two.
 *
 * @param {string} sdp
 * @param {Record<string, number>} parameters
 * @returns {string}
 */
export function withOpus(sdp, parameters) {
  const [, type] = /^a=rtpmap:(\d+) opus\/48000\/2\r?$/mi.exec(sdp) ?? [];
  if (!type) return sdp;
  const line = new RegExp(`^a=fmtp:${type} (.*?)(\r?)$`, 'm');
  const changed = (/** @type {string[]} */ given) => Object.entries(parameters).reduce((list, [name, value]) =>
    [...list.filter((parameter) => !parameter.startsWith(`${name}=`)), `${name}=${value}`], given).join(';');
  if (line.test(sdp)) {
    return sdp.replace(line, (_, given, end) => `a=fmtp:${type} ${changed(given.split(';').map((/** @type {string} */ p) => p.trim()))}${end}`);
  }
  return sdp.replace(new RegExp(`^a=rtpmap:${type} .*?(\r?\n)`, 'm'), (map, end) => `${map}a=fmtp:${type} ${changed([])}${end}`);
}
