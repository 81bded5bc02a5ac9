/**
 * Chromium's MediaRecorder writes nothing, the sound included, while the
 * picture brings no new frames, and a shared screen or a canvas brings none
 * while nothing moves. steady() gives such a track back with its last frame
 * repeated. Cameras never stand still and pass as they are, and so does
 * everything where the browser lacks the means (Firefox repeats frames itself).
 *
 * @param {MediaStreamTrack} track  a video track
 * @param {MediaStreamTrack} [sound] keeps time in tabs that are not looked at
 * @returns {{track: MediaStreamTrack, stop: () => void}}
 */
export function steady(track: MediaStreamTrack, sound?: MediaStreamTrack): {
    track: MediaStreamTrack;
    stop: () => void;
};
