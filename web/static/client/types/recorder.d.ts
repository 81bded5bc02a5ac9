/**
 * @param {boolean} hasVideo
 * @returns {string} a type this browser records that is WebM as weir takes it; '' if none
 */
export function recordingType(hasVideo: boolean): string;
/**
 * Records tracks as one WebM stream after another: a MediaRecorder cannot
 * change its tracks or its rate, so each change is a new one, whose stream goes
 * on where the last one ended.
 */
export class Recorder {
    /**
     * @param {object} options
     * @param {number} options.videoBitrate
     * @param {number} [options.audioBitrate] what the sound is worth if absent
     * @param {(data: Blob) => void} give gets the bytes, in order
     * @param {(error: DOMException) => void} fail a recorder ended by itself
     */
    constructor({ videoBitrate, audioBitrate }: {
        videoBitrate: number;
        audioBitrate?: number | undefined;
    }, give: (data: Blob) => void, fail: (error: DOMException) => void);
    /** Bits per second for the picture; takes effect with the next restart(). */
    videoBitrate: number;
    /**
     * Begins a new stream with these tracks. The last bytes of the one before
     * are given first.
     *
     * @param {MediaStreamTrack[]} tracks
     * @param {Promise<void>} [after] waited for in between
     */
    restart(tracks: MediaStreamTrack[], after?: Promise<void>): Promise<void>;
    /** Ends; resolves when the last bytes were given. */
    stop(): Promise<void>;
    #private;
}
