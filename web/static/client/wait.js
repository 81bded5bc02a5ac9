/**
 * Waiting that can be cut short.
 */

/**
 * Resolves after `ms`, or as soon as one of the signals aborts: the caller
 * looks at them, so stopping needs no exception.
 *
 * @param {number} ms
 * @param {...AbortSignal} signals
 * @returns {Promise<void>}
 */
export function pause(ms, ...signals) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      for (const signal of signals) signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    for (const signal of signals) signal.addEventListener('abort', done);
    if (signals.some((signal) => signal.aborted)) done();
  });
}

/**
 * The wait before attempt n (from 0): doubling from `first` up to `most`, each
 * spread by ±20 % so that the viewers of a restarted server do not return in
 * one wave.
 *
 * @param {number} attempt
 * @param {{first?: number, most?: number}} [limits] milliseconds
 * @returns {number} milliseconds
 */
export function backoff(attempt, {first = 500, most = 8000} = {}) {
  return Math.min(most, first * 2 ** attempt) * (0.8 + 0.4 * Math.random());
}
