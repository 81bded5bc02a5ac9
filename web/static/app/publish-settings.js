import {byId} from './dom.js';
import {forcedTransport} from './transport.js';

/**
 * How a broadcast is sent and whether it is recorded: what is chosen once is there again
 * at the next visit.
 */
const KEY = 'weir.settings';
const IDS = ['record', 'quality', 'codec', 'transport'];
/** Bits per second of a picture with so many lines. */
const BITRATES = {1080: 6_000_000, 720: 2_500_000, 480: 1_200_000, 360: 600_000};

const valueOf = (field) => (field.type === 'checkbox' ? field.checked : field.value);

function setValue(field, value) {
  if (field.type === 'checkbox') field.checked = value !== false;
  else if ([...field.options].some((option) => option.value === value)) field.value = value;
}

/** Leaves out what this browser cannot send. */
function leaveOutCodecs() {
  const can = globalThis.RTCRtpSender?.getCapabilities?.('video')?.codecs.map(({mimeType}) => mimeType.toLowerCase());
  for (const option of [...byId('codec').options]) if (can && !can.includes(`video/${option.value}`)) option.remove();
}

function stored() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '{}') ?? {};
  } catch {
    return {};
  }
}

/** Private modes may refuse. */
function keep() {
  try {
    localStorage.setItem(KEY, JSON.stringify(Object.fromEntries(IDS.map((id) => [id, valueOf(byId(id))]))));
  } catch {
    return;
  }
}

/** What was chosen last, but for what the address asks for. */
export function restore() {
  leaveOutCodecs();
  const last = stored();
  for (const id of IDS) {
    if (id in last) setValue(byId(id), last[id]);
    byId(id).addEventListener('change', keep);
  }
  if (forcedTransport() !== 'auto') setValue(byId('transport'), forcedTransport());
}

/** How many lines the picture of a camera is to have. */
export const lines = () => Number(byId('quality').value);

/** For a Publisher. */
export const options = () => ({
  record: byId('record').checked, videoBitrate: BITRATES[lines()], videoCodec: byId('codec').value, transport: byId('transport').value,
});

/** @param {boolean} busy what is being sent stays as it is */
export function hold(busy) {
  for (const id of IDS) byId(id).disabled = busy;
}
