import {errorOf} from './problem.js';

/**
 * Plays with sound where the browser lets us, else muted, else not at all.
 *
 * @param {HTMLVideoElement} video
 * @param {boolean} [silently] begin muted: sound was tried, and there is nothing to play it on
 * @returns {Promise<'sound' | 'muted' | 'blocked'>} 'muted' only when the
 *   browser forced it: an element its user had muted plays as 'sound'
 */
export async function playAloud(video, silently = false) {
  try {
    if (!silently) {
      await video.play();
      return 'sound';
    }
  } catch (error) {
    // AbortError: other media were put in meanwhile, and play() was called for those.
    if (errorOf(error).name !== 'NotAllowedError') return 'sound';
  }
  video.muted = true;
  try {
    await video.play();
    return 'muted';
  } catch (error) {
    return errorOf(error).name === 'NotAllowedError' ? 'blocked' : 'muted';
  }
}
