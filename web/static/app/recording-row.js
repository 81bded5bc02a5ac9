/** Whether it still goes on. */
export const goesOn = ({state}) => state === 'recording' || state === 'paused';

/** Whether there is anything to play and download. */
export const playable = (recording) =>
  Boolean(recording.url) && !goesOn(recording) && recording.bytes > 0;

/** The same file, served as an attachment. */
export function downloadPath(recording) {
  const url = new URL(recording.url, location.href);
  url.searchParams.set('download', '1');
  return url.href;
}
