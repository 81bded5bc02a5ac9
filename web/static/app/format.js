/**
 * Figures as people read them. A dash stands for "not known".
 */
export const NONE = '–';

/** 65 000 ms → 1:05, from an hour on 1:01:05. */
export function clock(ms) {
  if (!Number.isFinite(ms)) return NONE;
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (n) => String(n).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const rest = two(seconds % 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
}

const time = new Intl.DateTimeFormat(undefined, {hour: 'numeric', minute: '2-digit'});
const day = new Intl.DateTimeFormat(undefined, {day: 'numeric', month: 'short'});
const dayAndYear = new Intl.DateTimeFormat(undefined, {day: 'numeric', month: 'short', year: 'numeric'});
const longDay = new Intl.DateTimeFormat(undefined, {weekday: 'long', day: 'numeric', month: 'long'});
const longDayAndYear = new Intl.DateTimeFormat(undefined, {weekday: 'long', day: 'numeric', month: 'long', year: 'numeric'});

/** What a day is called beside today's: "Today", "Yesterday", or as one of these say it. */
function called(date, now, thisYear, otherYear) {
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate());
  const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
  if (date >= midnight) return 'Today';
  if (date >= yesterday) return 'Yesterday';
  return (date.getFullYear() === now.getFullYear() ? thisYear : otherYear).format(date);
}

/** "Today, 14:03", "Yesterday, 9:10", "3 Nov, 18:00". */
export function when(rfc3339, now = new Date()) {
  const date = new Date(rfc3339);
  return Number.isNaN(date.getTime()) ? NONE : `${called(date, now, day, dayAndYear)}, ${time.format(date)}`;
}

/** "Today", "Yesterday", "Saturday, 28 November". */
export function dayOf(rfc3339, now = new Date()) {
  const date = new Date(rfc3339);
  return Number.isNaN(date.getTime()) ? NONE : called(date, now, longDay, longDayAndYear);
}

/** "14:03". */
export function timeOf(rfc3339) {
  const date = new Date(rfc3339);
  return Number.isNaN(date.getTime()) ? NONE : time.format(date);
}

export function bytes(n) {
  if (!Number.isFinite(n)) return NONE;
  if (n < 1e6) return `${Math.round(n / 1e3)} kB`;
  if (n < 1e9) return `${(n / 1e6).toFixed(n < 1e7 ? 1 : 0)} MB`;
  return `${(n / 1e9).toFixed(2)} GB`;
}

export function bitrate(bps) {
  if (!Number.isFinite(bps)) return NONE;
  return bps < 1e6 ? `${Math.round(bps / 1e3)} kbit/s` : `${(bps / 1e6).toFixed(1)} Mbit/s`;
}

/** 0.004 → "0.4 %". */
export const percent = (part) => (Number.isFinite(part) ? `${(part * 100).toFixed(part > 0 && part < 0.1 ? 1 : 0)} %` : NONE);
export const fps = (n) => (Number.isFinite(n) ? `${Math.round(n)} fps` : NONE);
export const ms = (n) => (Number.isFinite(n) ? `${Math.round(n)} ms` : NONE);

/** Width × height with narrow spaces that do not break; empty parts give a dash. */
export const size = (width, height) => (width && height ? `${width}\u202f×\u202f${height}` : NONE);

/** A text with a full stop at its end, so that another sentence can follow. */
export const sentence = (text) => text.trim().replace(/[^.!?…]$/u, '$&.');

/** "3 viewers", "1 viewer". */
export const count = (n, one, many = `${one}s`) => `${n.toLocaleString()} ${n === 1 ? one : many}`;

const CODECS = {vp8: 'VP8', vp9: 'VP9', av1: 'AV1', h264: 'H.264', h265: 'H.265', opus: 'Opus'};

export const codec = (id) => (id ? (CODECS[id.toLowerCase()] ?? id) : NONE);

/** What the tracks of a stream or recording say: its picture size and codecs. */
export function tracks(list) {
  const video = list?.find((track) => track.kind === 'video');
  const pictureFirst = [...(list ?? [])].sort((a, b) => b.kind.localeCompare(a.kind));
  const codecs = pictureFirst.map((track) => codec(track.codec)).filter((name) => name !== NONE);
  return {
    size: video ? size(video.width, video.height) : codecs.length ? 'sound only' : NONE,
    codecs: codecs.join(' · ') || NONE,
  };
}
