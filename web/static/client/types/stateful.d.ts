/**
 * An EventTarget with one state, told by `state` events whose detail is
 * {state, previous, problem} and what the subclass adds, and figures told by
 * `stats` events.
 */
export class Stateful extends EventTarget {
    /** @returns {string} */
    get state(): string;
    /** @returns {import('./problem.js').Problem | null} why the state is not a better one */
    get problem(): import("./problem.js").Problem | null;
    /**
     * For subclasses: moves on and tells it, unless nothing changed.
     *
     * @protected
     * @param {string} state
     * @param {import('./problem.js').Problem | null} [problem] why it is not a better one
     */
    protected setState(state: string, problem?: import("./problem.js").Problem | null): void;
    /**
     * For subclasses: tells it also where only what `stateDetail` adds has changed.
     *
     * @protected
     * @param {string} state
     * @param {import('./problem.js').Problem | null} [problem]
     */
    protected emitState(state: string, problem?: import("./problem.js").Problem | null): void;
    /**
     * For subclasses: what else belongs to each `state` event.
     *
     * @protected
     * @returns {object}
     */
    protected get stateDetail(): object;
    /**
     * For subclasses: dispatches figures from `read` until stopStats().
     *
     * @protected
     * @param {() => Promise<object | null>} read
     */
    protected startStats(read: () => Promise<object | null>): void;
    /** @protected */
    protected stopStats(): void;
    #private;
}
