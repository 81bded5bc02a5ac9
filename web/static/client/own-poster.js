import {urlAt} from './home.js';
import {request} from './problem.js';

/** How far apart pictures are, and how soon one is tried again that was refused. */
const EVERY_MS = 60_000;
const AGAIN_MS = 15_000;
/** How long sending one may take. */
const SEND_MS = 10_000;
/** What the server takes: pixels on each side, and bytes. */
const SIDE_MOST = 640;
const BYTES_MOST = 64 << 10;
/** Nearly always the first one does. */
const QUALITIES = [0.75, 0.5, 0.25];

/**
 * Sends a small picture of a broadcast to its server, once a minute while it is live, for
 * lists and previews of links. The server makes them itself of VP8, which is all that it can
 * decode: nothing is sent of that.
 *
 * @param {import('./publisher.js').Publisher} publisher
 * @param {HTMLVideoElement} video shows what is sent
 * @param {() => boolean} [visible] whether it may be shown now: not while black is sent in its place
 */
export function sendPosters(publisher, video, visible = () => true) {
  let due = 0;
  publisher.addEventListener('stats', async (event) => {
    const {videoCodec} = /** @type {CustomEvent<import('./send-stats.js').SendStats>} */ (event).detail;
    const {session} = publisher;
    if (performance.now() < due || !session || !videoCodec || videoCodec === 'vp8' || !visible()) return;
    due = Infinity; // one at a time
    let wait = 0; // at the next figures, while there is no picture
    try {
      const jpeg = await pictureOf(video);
      if (jpeg && visible()) {
        wait = AGAIN_MS;
        await put(publisher, session, jpeg);
        wait = EVERY_MS;
      }
    } catch {
      // The session has just ended, or the last picture is too young: the next one will do.
    }
    due = performance.now() + wait;
  });
}

/**
 * @param {import('./publisher.js').Publisher} publisher
 * @param {string} session
 * @param {Blob} jpeg
 */
function put(publisher, session, jpeg) {
  const url = urlAt(publisher.endpoint, '/session/' + encodeURIComponent(session) + '/poster.jpg');
  return request(url, {method: 'PUT', headers: {'Content-Type': 'image/jpeg'}, body: jpeg, signal: AbortSignal.timeout(SEND_MS)});
}

/**
 * @param {HTMLVideoElement} video
 * @returns {Promise<Blob | null>} a JPEG of what it shows; null while it shows nothing
 */
async function pictureOf(video) {
  const {videoWidth, videoHeight} = video;
  if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA || !videoWidth) return null;
  const scale = Math.min(1, SIDE_MOST / Math.max(videoWidth, videoHeight));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(videoWidth * scale));
  canvas.height = Math.max(1, Math.round(videoHeight * scale));
  const context = canvas.getContext('2d', {alpha: false});
  if (!context) return null;
  context.imageSmoothingQuality = 'high';
  context.drawImage(video, 0, 0, canvas.width, canvas.height);
  for (const quality of QUALITIES) {
    /** @type {Blob | null} */
    const jpeg = await new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', quality));
    if (jpeg && jpeg.size <= BYTES_MOST) return jpeg;
  }
  return null;
}
