import * as api from './api.js';
import {copyButton} from './copy.js';
import {byId, el, pageURL, setText, streamName, watchURL} from './dom.js';
import {bytes, clock, NONE, tracks, when} from './format.js';
import {places} from './gaps.js';
import {poll} from './poll.js';
import {exactly, showChain, showFacts} from './recording-facts.js';
import {downloadPath, goesOn, playable} from './recording-row.js';
import {showOthers} from './recording-others.js';
import {addressAt, parseTime} from './start-at.js';
import {gapList, timeline} from './timeline.js';
import {home} from '../client/home.js';

/** How often it is looked how far a recording is that still goes on. */
const LOOK_MS = 2000;

const id = decodeURIComponent(location.pathname.slice(home.pathname.length + 'recordings/'.length));
const video = byId('player');

/** What stands where the picture would be. `links`: the ids of those that lead on from there. */
function say(title, text, ...links) {
  setText(byId('veil-title'), title);
  setText(byId('veil-text'), text);
  for (const link of ['watch-live', 'veil-download', 'veil-list']) byId(link).hidden = !links.includes(link);
  byId('veil').hidden = false;
}

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
  byId('summary').title = exactly(started);
  const figures = [when(started), clock(recording.duration_ms || NaN), bytes(recording.bytes || NaN), tracks(recording.tracks).size];
  byId('summary').replaceChildren(...figures.filter((figure) => figure !== NONE).map((figure) => el('bdi', {}, figure)));
}

/** Everything but the picture. */
function describe(recording, list) {
  heading(recording);
  showFacts(recording, list);
  byId('about-file').hidden = false;
  byId('copy').hidden = false;
  const ended = !goesOn(recording);
  byId('delete').hidden = !ended;
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

function play(recording, list) {
  const from = parseTime(new URLSearchParams(location.search).get('t'));
  const hasPicture = recording.tracks?.some(({kind}) => kind === 'video');
  byId('veil-download').href = downloadPath(recording);
  video.addEventListener('error', () => cannotPlay(recording));
  video.addEventListener('loadedmetadata', () => {
    // Behind its end there is nothing: such a link begins at the start.
    if (from && from < video.duration) video.currentTime = from;
  }, {once: true});
  video.src = recording.url;
  video.hidden = false;
  byId('veil').hidden = true;
  if (!hasPicture) soundOnly();
  timeline(video, recording.duration_ms, list);
  gapList(video, list, recording.more_gaps ?? 0);
}

/** There is no picture to see, and the controls are in use all the same. */
function soundOnly() {
  say('Sound only', 'This broadcast had no picture.');
  byId('veil').dataset.sound = '';
}

/** The player knows only that it cannot: the file says why. */
async function cannotPlay(recording) {
  video.hidden = true;
  byId('timeline').hidden = true;
  byId('gaps').hidden = true;
  delete byId('veil').dataset.sound;
  const there = await fetch(recording.url, {method: 'HEAD'}).catch(() => null);
  if (there?.ok) {
    say('This browser cannot play it', `The recording is ${tracks(recording.tracks).codecs}. Another browser may play it, and other players do.`, 'veil-download');
  } else if (there?.status === 404) say('There is no such recording any more', 'It was deleted meanwhile.', 'veil-list');
  else say('The file cannot be read now', 'The server does not give it. Load the page again in a while.', 'veil-list');
}

async function others(recording) {
  const {recordings, more} = await api.recordingsPage(recording.stream, 100).catch(() => ({recordings: [], more: true}));
  showChain(recording, recordings, !more);
  showOthers(recordings.filter((other) => other.id !== recording.id && other.bytes > 0), recording.stream, more);
}

/** The link begins where it plays. */
function share() {
  const label = () => (video.currentTime >= 1 ? `Copy link at ${clock(video.currentTime * 1000)}` : 'Copy link');
  const relabel = copyButton(byId('copy'), () => addressAt(location.href, video.currentTime), label);
  for (const event of ['timeupdate', 'seeked', 'loadedmetadata']) video.addEventListener(event, relabel);
}

/** A recording is deleted when there was time to think better of it. */
function deletion(recording) {
  const button = byId('delete');
  button.addEventListener('click', async () => {
    const {undoable} = await import('./undo.js');
    button.disabled = true;
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
      if (!known) deletion(recording);
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
share();
// A page that had been left may be of a recording that was deleted.
addEventListener('pageshow', (event) => event.persisted && location.reload());
