/** How often `stats` is dispatched. */
const STATS_MS = 1000;

/**
 * An EventTarget with one state, told by `state` events whose detail is
 * {state, previous, problem} and what the subclass adds, and figures told by
 * `stats` events.
 */
export class Stateful extends EventTarget {
  #state = 'idle';
  #problem = null;
  #ticker = 0;

  /** @returns {string} */
  get state() {
    return this.#state;
  }

  /** @returns {import('./problem.js').Problem | null} why the state is not a better one */
  get problem() {
    return this.#problem;
  }

  /** For subclasses: moves on and tells it, unless nothing changed. */
  _to(state, problem = null) {
    if (state === this.#state && problem?.message === this.#problem?.message) return;
    this._tell(state, problem);
  }

  /** For subclasses: tells it also where only what `_more` adds has changed. */
  _tell(state, problem = null) {
    const previous = this.#state;
    this.#state = state;
    this.#problem = problem;
    this.dispatchEvent(new CustomEvent('state', {detail: {state, previous, problem, ...this._more}}));
  }

  /** For subclasses: what else belongs to each `state` event. */
  get _more() {
    return {};
  }

  /** For subclasses: dispatches figures from `read` until _quiet(). */
  _tick(read) {
    this._quiet();
    const tick = async () => {
      const ticker = this.#ticker;
      const detail = await read().catch(() => null); // a connection that just closed has none
      if (detail && ticker === this.#ticker) this.dispatchEvent(new CustomEvent('stats', {detail}));
    };
    this.#ticker = setInterval(tick, STATS_MS);
    tick();
  }

  _quiet() {
    clearInterval(this.#ticker);
    this.#ticker = 0;
  }
}
