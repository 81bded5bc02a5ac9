/**
 * Sends a small picture of a broadcast to its server, once a minute while it is live, for
 * lists and previews of links. The server makes them itself of VP8, which is all that it can
 * decode: nothing is sent of that.
 *
 * @param {import('./publisher.js').Publisher} publisher
 * @param {HTMLVideoElement} video shows what is sent
 * @param {() => boolean} [visible] whether it may be shown now: not while black is sent in its place
 */
export function sendPosters(publisher: import("./publisher.js").Publisher, video: HTMLVideoElement, visible?: () => boolean): void;
