/** The picture asked for; the browser gives the nearest it has. */
const picture = (lines) => ({width: {ideal: Math.round(lines * 16 / 9)}, height: {ideal: lines}, frameRate: {ideal: 30}});

/** The sound of a screen or a tab is no voice in a room: what is done for that would leave one channel of it. */
const AS_IT_IS = {echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: {ideal: 2}};

/** For a select: no microphone at all. */
export const NO_MICROPHONE = 'none';

/**
 * What is being captured: one picture (camera or screen) and at most one sound.
 *
 * `change` tells that tracks came or went; `ended` (detail: 'camera',
 * 'screen', 'microphone') that one ended by itself: unplugged, or its sharing
 * stopped in the browser's own bar; `silent` (detail: the error) that the
 * picture came but the microphone did not.
 */
export class Capture extends EventTarget {
  /** @type {'camera' | 'screen' | 'sound' | null} where the picture comes from; 'sound': there is none */
  source = null;
  /** @type {MediaStreamTrack | null} */
  video = null;
  /** @type {MediaStreamTrack | null} */
  audio = null;
  /** While broadcasting a sound can be muted or exchanged but not removed. */
  live = false;
  /** How many lines the next picture of a camera is to have. */
  lines = 720;

  #request = 0;
  #soundRequest = 0;
  #muted = false;
  /** @type {MediaStreamTrack | null} */
  #black = null;

  /** Whether there is something to send. */
  get ready() {
    return this.source === 'sound' ? Boolean(this.audio) : Boolean(this.video);
  }

  /** Whether the sound is silence, also that of the next microphone. */
  get muted() {
    return this.#muted;
  }

  set muted(muted) {
    this.#muted = muted;
    this.#apply();
    this.#changed();
  }

  /** Whether black is sent in place of the picture. */
  get dark() {
    return this.#black !== null;
  }

  /** What is sent as the picture. */
  get picture() {
    return this.#black ?? this.video;
  }

  /**
   * Sends black, at once: a track that is only disabled goes black half a second later in
   * Chromium. The camera is let go of, so that its light goes out; a screen is not, as
   * it would have to be chosen again.
   */
  darken() {
    if (this.#black || !this.video) return;
    this.#black = black(this.video.getSettings());
    this.#changed();
    if (this.source === 'camera') this.video.stop();
  }

  /**
   * The other way round.
   *
   * @param {string} camera     as below
   * @param {string} microphone
   */
  async lighten(camera, microphone) {
    if (this.source === 'camera') return this.useCamera(camera, microphone);
    this.#lighten();
    this.#changed();
  }

  /** @returns {MediaStream} */
  get stream() {
    return new MediaStream([this.picture, this.audio].filter(Boolean));
  }

  /**
   * @param {string} camera     device id, '' for the default
   * @param {string} microphone device id, '' for the default, or NO_MICROPHONE
   */
  async useCamera(camera, microphone) {
    const request = ++this.#request;
    const video = {...picture(this.lines), ...(camera ? {deviceId: {exact: camera}} : {})};
    // Phones cannot open a second camera while the first is open.
    if (this.source === 'camera') this.video?.stop();
    const wanted = !this.audio && microphone !== NO_MICROPHONE;
    const got = await this.#cameraAndSound(video, wanted && sound(microphone));
    this.#use(request, 'camera', got);
  }

  /** @param {string} microphone as above; with none, the sound of the screen is taken */
  async useScreen(microphone) {
    const request = ++this.#request;
    const media = devices();
    if (!media.getDisplayMedia) throw new DOMException('no screen capture', 'NotSupportedError');
    const own = microphone === NO_MICROPHONE && !this.audio;
    const got = await media.getDisplayMedia({video: {frameRate: {ideal: 30}}, audio: own && AS_IT_IS});
    got.getVideoTracks()[0].contentHint = 'detail';
    this.#use(request, 'screen', got);
    if (!own && !this.audio && request === this.#request) await this.useMicrophone(microphone).catch((error) => this.#silent(error));
  }

  /** A sound and no picture. @param {string} microphone as above, and not none */
  async useSound(microphone) {
    const request = ++this.#request;
    if (!this.audio) {
      const got = await devices().getUserMedia({audio: sound(microphone === NO_MICROPHONE ? '' : microphone)});
      if (request !== this.#request) return void got.getTracks().forEach((track) => track.stop());
      this.#setAudio(got.getAudioTracks()[0]);
    }
    this.#lighten();
    this.video?.stop();
    this.video = null;
    this.source = 'sound';
    this.#changed();
  }

  /** @param {string} microphone as above; the one that was asked for last is used */
  async useMicrophone(microphone) {
    const request = ++this.#soundRequest;
    if (microphone === NO_MICROPHONE) {
      if (this.live && this.audio) this.muted = true;
      else this.#setAudio(null);
      this.#changed();
      return;
    }
    const got = await devices().getUserMedia({audio: sound(microphone)});
    if (request !== this.#soundRequest) return void got.getTracks().forEach((track) => track.stop());
    this.#setAudio(got.getAudioTracks()[0]);
    this.#changed();
  }

  /** Lets go of the picture, and of the sound unless `keepSound`. */
  release({keepSound = false} = {}) {
    this.#request++;
    if (!keepSound) this.#soundRequest++;
    this.#lighten();
    this.video?.stop();
    this.video = null;
    this.source = null;
    if (!keepSound) this.#setAudio(null);
    this.#changed();
  }

  /** @returns {Promise<MediaDeviceInfo[]>} labelled only after permission */
  async list() {
    return navigator.mediaDevices ? navigator.mediaDevices.enumerateDevices() : [];
  }

  /**
   * One question for both. If that fails because the microphone is missing or
   * taken, a silent picture is better than none.
   */
  async #cameraAndSound(video, audio) {
    try {
      return await devices().getUserMedia({video, audio});
    } catch (error) {
      if (!audio || error.name === 'NotAllowedError') throw error;
      const got = await devices().getUserMedia({video}).catch(() => {
        throw error;
      });
      this.#silent(error);
      return got;
    }
  }

  #use(request, source, got) {
    if (request !== this.#request) { // something else was chosen meanwhile
      for (const track of got.getTracks()) track.stop();
      return;
    }
    this.video?.stop();
    [this.video] = got.getVideoTracks();
    this.source = source;
    this.#lighten();
    this.#watch(this.video, source);
    const [audio] = got.getAudioTracks();
    if (audio) this.#setAudio(audio);
    this.#changed();
  }

  #setAudio(track) {
    this.audio?.stop();
    this.audio = track;
    this.#apply();
    if (track) this.#watch(track, 'microphone');
  }

  #lighten() {
    this.#black?.stop();
    this.#black = null;
  }

  #apply() {
    if (this.audio) this.audio.enabled = !this.#muted;
  }

  /** stop() fires no `ended`, so this is always the browser's or the user's doing. */
  #watch(track, what) {
    track.addEventListener('ended', () => {
      if (track === this.video || track === this.audio) {
        this.dispatchEvent(new CustomEvent('ended', {detail: what}));
      }
    });
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }

  #silent(error) {
    this.dispatchEvent(new CustomEvent('silent', {detail: error}));
  }
}

/** How often black is sent again: a viewer that comes has to get a picture. */
const BLACK_MS = 500;

/** A black picture of a size, until it is stopped. */
function black({width = 640, height = 360}) {
  const canvas = Object.assign(document.createElement('canvas'), {width, height});
  const context = canvas.getContext('2d', {alpha: false});
  const [track] = canvas.captureStream().getVideoTracks();
  const draw = () => {
    context.fillRect(0, 0, width, height);
    if (track.readyState === 'ended') clearInterval(timer);
  };
  const timer = setInterval(draw, BLACK_MS);
  draw();
  return track;
}

function sound(microphone) {
  return microphone ? {deviceId: {exact: microphone}} : true;
}

function devices() {
  if (navigator.mediaDevices) return navigator.mediaDevices;
  throw new DOMException('not a secure context', 'InsecureContextError');
}
