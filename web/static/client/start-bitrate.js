/**
 * A browser begins at 300 kbit/s and shrinks the picture to fit, and takes long
 * to enlarge it again. Told where to start, it begins with the whole picture; on
 * a slower network its own estimation corrects that within a second or two.
 */
const MOST_KBPS = 2000;

/**
 * Puts the bitrate to start with into an answer, for browsers that know the
 * parameter (Chromium); others ignore it.
 *
 * @param {string} sdp
 * @param {number} bitrate what the video may take, bits per second
 * @returns {string}
 */
export function startBitrate(sdp, bitrate) {
  const kbps = Math.round(Math.min(MOST_KBPS, bitrate * 0.8 / 1000));
  return sdp.replace(/a=rtpmap:(\d+) VP8\/90000\r\n/g,
    (line, payloadType) => `${line}a=fmtp:${payloadType} x-google-start-bitrate=${kbps}\r\n`);
}
