/**
 * The name a publisher comes with: from the address, else the one used last,
 * else a friendly one.
 */
const KEY = 'weir.name';

const MOODS = ['amber', 'brisk', 'calm', 'clear', 'gentle', 'misty', 'quiet', 'silver', 'swift', 'tidal'];
const RIVER = ['alder', 'dipper', 'heron', 'kingfisher', 'lock', 'mill', 'otter', 'reed', 'trout', 'willow'];

/** @returns {string} */
export function ownName() {
  const asked = new URLSearchParams(location.search).get('name');
  if (asked) return asked;
  return stored() || friendly();
}

/** Keeps the name for the next visit; private modes may refuse. */
export function keepName(name) {
  try {
    localStorage.setItem(KEY, name);
  } catch {
    return;
  }
}

function stored() {
  try {
    return localStorage.getItem(KEY) ?? '';
  } catch {
    return '';
  }
}

function friendly() {
  const pick = (list) => list[Math.floor(Math.random() * list.length)];
  return `${pick(MOODS)}-${pick(RIVER)}-${Math.floor(10 + Math.random() * 90)}`;
}
