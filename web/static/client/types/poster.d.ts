/**
 * Keeps the picture a video element shows now as its poster, so that it does
 * not turn black while its source is exchanged.
 *
 * @param {HTMLVideoElement} video
 */
export function keepPicture(video: HTMLVideoElement): Promise<void>;
