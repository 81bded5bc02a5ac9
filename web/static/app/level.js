/**
 * Shows how loud a track is, as the custom property --level (0 to 1) of an
 * element. Runs only while there is a track and the page is visible.
 */
export class Level {
  #element;
  #context = null;
  #source = null;
  #frame = 0;

  /** @param {HTMLElement} element */
  constructor(element) {
    this.#element = element;
  }

  /** @param {MediaStreamTrack | null} track */
  show(track) {
    cancelAnimationFrame(this.#frame);
    this.#source?.disconnect();
    this.#source = null;
    this.#set(0);
    if (!track || !window.AudioContext) return;
    this.#context ??= new AudioContext();
    const analyser = new AnalyserNode(this.#context, {fftSize: 512});
    this.#source = new MediaStreamAudioSourceNode(this.#context, {mediaStream: new MediaStream([track])});
    this.#source.connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    let shown = 0;
    const draw = () => {
      // Refused until the first gesture on the page: asking again is free.
      if (this.#context.state === 'suspended' && navigator.userActivation?.hasBeenActive) this.#context.resume();
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((total, sample) => total + sample * sample, 0) / samples.length;
      const decibels = 10 * Math.log10(power + 1e-10);
      const level = track.enabled ? Math.min(1, Math.max(0, (decibels + 60) / 55)) : 0;
      shown = Math.max(level, shown * 0.92); // falls slowly, so that the eye can follow
      this.#set(shown);
      this.#frame = requestAnimationFrame(draw);
    };
    draw();
  }

  #set(level) {
    this.#element.style.setProperty('--level', level.toFixed(3));
  }
}
