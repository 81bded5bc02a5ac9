import {createRecordingCard, recordingLabel, updateRecordingCard} from './card.js';
import {distinctLabels} from './card-words.js';
import {reconcile} from './dom.js';
import {when} from './format.js';

/**
 * Shows recordings of one name: where they have no title the date tells them apart, not
 * the name that they share.
 *
 * @param {Element} list
 * @param {any[]} recordings
 */
export function showShelf(list, recordings) {
  const labels = distinctLabels(recordings, recordingLabel);
  reconcile(list, recordings, {
    key: ({id}) => id,
    create: (recording) => createRecordingCard(recording),
    update: (card, recording) => {
      const date = when(recording.started_at);
      updateRecordingCard(card, {...recording, title: recording.title || date}, labels.get(recording.id), recording.title ? date : '');
    },
  });
}
