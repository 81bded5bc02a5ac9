import {SVG, byId} from './dom.js';

/** How many figures a line shows: one comes each second. */
const SHOWN = 60;
const HEIGHT = 20;

/**
 * Draws figures as lines of the last minute, each below the figure itself.
 *
 * @param {string[]} ids of the elements that hold the figures
 * @returns {(values: (number | null)[]) => void} takes the next of each, in this order; null: not known
 */
export function trends(ids) {
  const lines = ids.map(line);
  return (values) => lines.forEach((add, i) => add(values[i]));
}

function line(id) {
  const svg = document.createElementNS(SVG, 'svg');
  const drawn = document.createElementNS(SVG, 'polyline');
  svg.setAttribute('class', 'trend');
  svg.setAttribute('viewBox', `0 0 ${SHOWN - 1} ${HEIGHT}`);
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('aria-hidden', 'true');
  svg.append(drawn);
  const place = byId(id).closest('dd');
  place.querySelector('.trend')?.remove(); // of the broadcast before
  place.append(svg);
  const values = [];
  return (value) => {
    values.push(value ?? 0);
    if (values.length > SHOWN) values.shift();
    drawn.setAttribute('points', points(values));
  };
}

/** The newest at the end of the line; the highest at its top, nought at its foot. */
export function points(values) {
  const most = Math.max(...values, Number.MIN_VALUE);
  const y = (value) => Math.round((HEIGHT - 1 - value / most * (HEIGHT - 2)) * 10) / 10;
  return values.map((value, i) => `${SHOWN - values.length + i},${y(value)}`).join(' ');
}
