/**
 * What both directions need to turn counters into figures.
 */

/**
 * A counter seen twice. Readings closer together than 400 ms repeat the last
 * rate, so that several readers do not shorten the window into noise.
 */
export class Rate {
  #at = 0;
  #value = 0;
  /** @type {number | null} */
  #rate = null;

  /**
   * @param {number | undefined} value the counter
   * @param {number} at                milliseconds
   * @returns {number | null} growth per second; null until it is known
   */
  next(value, at) {
    if (value === undefined) return this.#rate;
    if (this.#at === 0 || value < this.#value) {
      this.#at = at;
      this.#value = value;
      return this.#rate;
    }
    if (at - this.#at >= 400) {
      this.#rate = ((value - this.#value) * 1000) / (at - this.#at);
      this.#at = at;
      this.#value = value;
    }
    return this.#rate;
  }
}

/**
 * @param {RTCStatsReport} report
 * @param {string} type
 * @returns {any[]} in the report's order
 */
export function ofType(report, type) {
  return [...report.values()].filter((entry) => entry.type === type);
}

/**
 * The codec of a stream as 'vp8', 'opus'…
 *
 * @param {RTCStatsReport} report
 * @param {{codecId?: string} | undefined} rtp
 * @returns {string | null}
 */
export function codecOf(report, rtp) {
  const mime = rtp?.codecId ? report.get(rtp.codecId)?.mimeType : null;
  return mime ? mime.split('/')[1].toLowerCase() : null;
}

/**
 * Round trip to the server in milliseconds, from the pair of addresses in use.
 *
 * @param {RTCStatsReport} report
 * @returns {number | null}
 */
export function roundTrip(report) {
  const [transport] = ofType(report, 'transport');
  const pair = report.get(transport?.selectedCandidatePairId) ??
    ofType(report, 'candidate-pair').find((p) => p.nominated && p.state === 'succeeded');
  const seconds = pair?.currentRoundTripTime;
  return seconds === undefined ? null : seconds * 1000;
}

/**
 * @param {any[]} entries
 * @param {string} field
 * @returns {number}
 */
export function sum(entries, field) {
  return entries.reduce((total, entry) => total + (entry[field] ?? 0), 0);
}
