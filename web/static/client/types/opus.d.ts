/**
 * What a sound is worth. One of which nothing is said may be stereo.
 *
 * @param {MediaStreamTrack | undefined} track
 * @returns {number} bits per second
 */
export function opusBitrate(track: MediaStreamTrack | undefined): number;
/**
 * Sets parameters of Opus (RFC 7587 section 6.1) in an SDP. Without `stereo=1` a
 * browser decodes to one channel, and sends one to a receiver that does not ask for two.
 *
 * @param {string} sdp
 * @param {Record<string, number>} parameters
 * @returns {string}
 */
export function withOpus(sdp: string, parameters: Record<string, number>): string;
