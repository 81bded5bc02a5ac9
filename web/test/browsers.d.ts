// What browsers have and TypeScript's DOM does not, or only of late: for checking the
// library, in which everything is asked for before it is used.

/** Insertable streams for media tracks, as Chromium has them (mediacapture-transform). */
declare class MediaStreamTrackProcessor<T = any> {
  constructor(init: {track: MediaStreamTrack});
  readonly readable: ReadableStream<T>;
}

interface MediaStreamTrackGenerator extends MediaStreamTrack {
  readonly writable: WritableStream<any>;
}

declare var MediaStreamTrackGenerator: {new (init: {kind: 'audio' | 'video'}): MediaStreamTrackGenerator};

/** iPhones have only this one (Media Source Extensions 2). */
declare var ManagedMediaSource: typeof MediaSource | undefined;
