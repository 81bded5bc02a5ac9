/**
 * Whether picture and sound come: false where the broadcast has one that does not
 * come, or not yet; null where it has none.
 *
 * @typedef {{video: boolean | null, audio: boolean | null}} Media
 */
/**
 * Decides which of a connection's tracks a media element has. An element is silent
 * until the first picture of a video track that it has; so where nothing comes of one
 * it begins without, and gets it when it comes. At first it has all: a picture that
 * came just before its track was put in would not be seen, and of a screen that stands
 * still there may be no second one.
 */
export class Lineup {
    /**
     * @param {MediaStreamTrack[]} tracks at most one of each kind
     * @param {(anew: boolean) => void} changed called when `media` has changed; anew: what is to play
     *   was put into the element anew, so that play() is to be called
     */
    constructor(tracks: MediaStreamTrack[], changed: (anew: boolean) => void);
    /** @returns {Media | null} null until it is known */
    get media(): Media | null;
    /** @param {HTMLVideoElement} element */
    attach(element: HTMLVideoElement): void;
    /** @param {number} frames how many pictures have been decoded */
    decoded(frames: number): void;
    close(): void;
    #private;
}
/**
 * Whether picture and sound come: false where the broadcast has one that does not
 * come, or not yet; null where it has none.
 */
export type Media = {
    video: boolean | null;
    audio: boolean | null;
};
