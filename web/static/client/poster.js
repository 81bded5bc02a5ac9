/**
 * Keeps the picture a video element shows now as its poster, so that it does
 * not turn black while its source is exchanged.
 *
 * @param {HTMLVideoElement} video
 */
export async function keepPicture(video) {
  if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA || !video.videoWidth) return;
  const canvas = document.createElement('canvas');
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext('2d')?.drawImage(video, 0, 0);
  /** @type {Blob | null} */
  const picture = await new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', 0.8));
  if (!picture) return;
  const url = URL.createObjectURL(picture);
  const image = new Image();
  image.src = url;
  await image.decode().catch(() => {}); // then it will take a moment to show
  video.poster = url;
  video.addEventListener('playing', () => {
    URL.revokeObjectURL(url);
    if (video.poster === url) video.removeAttribute('poster');
  }, {once: true});
}
