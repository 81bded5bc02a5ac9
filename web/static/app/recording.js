import * as api from './api.js';
import {copyButton} from './copy.js';
import {byId, el, pageURL, setText, streamName, watchURL} from './dom.js';
import {folding} from './fold.js';
import {bytes, clock, NONE, tracks, when} from './format.js';
import {places} from './gaps.js';
import {poll} from './poll.js';
import {exactly, showChain, showFacts} from './recording-facts.js';
import {play, say} from './recording-player.js';
import {downloadPath, goesOn, playable} from './recording-row.js';
import {showShelf} from './shelf.js';
import {linkAt} from './start-at.js';
import {home} from '../client/home.js';

/** How often it is looked how far a recording is that still goes on. */
const LOOK_MS = 2000;
/** How many others of its name are shown. */
const SHELF = 8;

const id = decodeURIComponent(location.pathname.slice(home.pathname.length + 'recordings/'.length));
const video = byId('player');
const fold = folding(byId('description'), byId('more'));

/** The title, where there is one, is what people read; the name is the address. */
function heading(recording) {
  const {title, stream, description, started_at: started} = recording;
  if (title) {
    setText(byId('title'), title);
    byId('name').replaceChildren(streamName(stream));
  } else byId('title').replaceChildren(streamName(stream));
  byId('name').hidden = !title;
  document.title = `${title || stream}: weir`;
  setText(byId('description'), description ?? '');
  byId('description').hidden = !description;
  fold();
  byId('summary').title = exactly(started);
  const figures = [when(started), clock(recording.duration_ms || NaN), bytes(recording.bytes || NaN), tracks(recording.tracks).size];
  byId('summary').replaceChildren(...figures.filter((figure) => figure !== NONE).map((figure) => el('bdi', {}, figure)));
}

/** Everything but the picture. */
function describe(recording, list) {
  heading(recording);
  showFacts(recording, list);
  for (const part of ['about-file', 'share', 'copy']) byId(part).hidden = false;
  byId('delete').hidden = goesOn(recording);
  byId('download').hidden = !playable(recording);
  if (playable(recording)) byId('download').href = downloadPath(recording);
}

/** @returns {boolean} whether there is nothing more to wait for */
function show(recording) {
  const list = places(recording);
  describe(recording, list);
  if (goesOn(recording)) {
    byId('watch-live').href = watchURL(recording.stream);
    say(recording.state === 'paused' ? 'Live now, the recording is paused' : 'Live now',
      'This is still being recorded. It appears here by itself once the broadcast has ended.', 'watch-live');
    return false;
  }
  if (playable(recording) && recording.duration_ms > 0) play(recording, list);
  else say('Nothing to play', 'The broadcast ended before there was a picture or sound.', 'veil-list');
  return true;
}

/** The recordings before and after it, and the others of its name. */
async function others(recording) {
  const {recordings, more} = await api.recordingsPage(recording.stream, 100).catch(() => ({recordings: [], more: true}));
  showChain(recording, recordings, !more);
  const list = recordings.filter((other) => other.id !== recording.id && other.bytes > 0);
  byId('others').hidden = list.length === 0;
  byId('all-others').href = pageURL(`recordings?${new URLSearchParams({stream: recording.stream})}`);
  byId('all-others').hidden = list.length <= SHELF && !more;
  showShelf(byId('recordings'), list.slice(0, SHELF));
}

/** Links begin where it plays. */
function sharing(recording) {
  const label = () => (video.currentTime >= 1 ? `Copy link at ${clock(video.currentTime * 1000)}` : 'Copy link');
  const relabel = copyButton(byId('copy'), () => linkAt(location.href, video.currentTime), label);
  for (const event of ['timeupdate', 'seeked', 'loadedmetadata']) video.addEventListener(event, relabel);
  byId('share').addEventListener('click', async () => {
    const {share} = await import('./share.js');
    share(byId('share'), {url: location.href, title: recording.title || recording.stream, at: video.ended ? 0 : video.currentTime});
  });
}

/** A recording is deleted when there was time to think better of it. */
function deletion(recording) {
  const button = byId('delete');
  button.addEventListener('click', async () => {
    button.disabled = true;
    const {undoable} = await import('./undo.js');
    byId('trouble').hidden = true;
    video.pause();
    const back = () => {
      button.disabled = false;
      button.focus();
    };
    undoable({
      said: 'Deleted.', what: `keep the recording of ${recording.title || recording.stream}, ${when(recording.started_at)}`,
      act: (how) => api.deleteRecording(id, how),
      done: () => location.assign(pageURL('recordings')),
      undone: back,
      failed: (problem) => {
        back();
        setText(byId('trouble'), `It could not be deleted. ${problem.message}`);
        byId('trouble').hidden = false;
      },
    });
  });
}

function unknown() {
  setText(byId('title'), 'No such recording');
  say('There is no such recording', 'It may have been deleted. Those that there are stand in the list.', 'veil-list');
}

/** Whether the server said so with the page already. Asked again, browsers report a 404 in their console. */
const isUnknown = () => performance.getEntriesByType('navigation')[0]?.responseStatus === 404;

let known = false;
const stop = poll(LOOK_MS, async () => {
  try {
    const recording = isUnknown() ? null : await api.recording(id);
    if (recording) {
      if (!known) {
        deletion(recording);
        sharing(recording);
      }
      known = true;
      if (!show(recording)) return;
      others(recording);
    } else unknown();
    queueMicrotask(() => stop()); // which may not be there yet, when nothing was waited for
  } catch (problem) {
    // What is shown stays; it is looked again.
    if (!known) say('This recording cannot be read now', `${problem.message} Trying again…`, 'veil-list');
  }
});
// A page that had been left may be of a recording that was deleted.
addEventListener('pageshow', (event) => event.persisted && location.reload());
