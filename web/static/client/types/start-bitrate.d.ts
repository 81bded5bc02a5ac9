/**
 * Puts the bitrate to start with into an answer, for browsers that know the
 * parameter (Chromium); others ignore it.
 *
 * @param {string} sdp
 * @param {number} bitrate what the video may take, bits per second
 * @returns {string}
 */
export function startBitrate(sdp: string, bitrate: number): string;
