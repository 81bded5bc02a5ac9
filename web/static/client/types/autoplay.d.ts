/**
 * Plays with sound where the browser lets us, else muted, else not at all.
 *
 * @param {HTMLVideoElement} video
 * @param {boolean} [silently] begin muted: sound was tried, and there is nothing to play it on
 * @returns {Promise<'sound' | 'muted' | 'blocked'>} 'muted' only when the
 *   browser forced it: an element its user had muted plays as 'sound'
 */
export function playAloud(video: HTMLVideoElement, silently?: boolean): Promise<"sound" | "muted" | "blocked">;
