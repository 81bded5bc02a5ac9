/** How often `stats` is dispatched. */
const STATS_MS = 1000;

/**
 * An EventTarget with one state, told by `state` events whose detail is
 * {state, previous, problem} and what the subclass adds, and figures told by
 * `stats` events.
 */
export class Stateful extends EventTarget {
  #state = 'idle';
  /** @type {import('./problem.js').Problem | null} */
  #problem = null;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #ticker;

  /** @returns {string} */
  get state() {
    return this.#state;
  }

  /** @returns {import('./problem.js').Problem | null} why the state is not a better one */
  get problem() {
    return this.#problem;
  }

  /**
   * For subclasses: moves on and tells it, unless nothing changed.
   *
   * @protected
   * @param {string} state
   * @param {import('./problem.js').Problem | null} [problem] why it is not a better one
   */
  setState(state, problem = null) {
    if (state === this.#state && problem?.message === this.#problem?.message) return;
    this.emitState(state, problem);
  }

  /**
   * For subclasses: tells it also where only what `stateDetail` adds has changed.
   *
   * @protected
   * @param {string} state
   * @param {import('./problem.js').Problem | null} [problem]
   */
  emitState(state, problem = null) {
    const previous = this.#state;
    this.#state = state;
    this.#problem = problem;
    this.dispatchEvent(new CustomEvent('state', {detail: {state, previous, problem, ...this.stateDetail}}));
  }

  /**
   * For subclasses: what else belongs to each `state` event.
   *
   * @protected
   * @returns {object}
   */
  get stateDetail() {
    return {};
  }

  /**
   * For subclasses: dispatches figures from `read` until stopStats().
   *
   * @protected
   * @param {() => Promise<object | null>} read
   */
  startStats(read) {
    this.stopStats();
    const tick = async () => {
      const ticker = this.#ticker;
      const detail = await read().catch(() => null); // a connection that just closed has none
      if (detail && ticker === this.#ticker) this.dispatchEvent(new CustomEvent('stats', {detail}));
    };
    this.#ticker = setInterval(tick, STATS_MS);
    tick();
  }

  /** @protected */
  stopStats() {
    clearInterval(this.#ticker);
    this.#ticker = undefined;
  }
}
