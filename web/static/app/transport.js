/**
 * Words and wishes about the way media take: WebRTC or a WebSocket.
 */

const NAMES = {webrtc: 'WebRTC', websocket: 'WebSocket'};

/** @returns {'auto' | 'webrtc' | 'websocket'} what `?transport=` asks for */
export function forcedTransport() {
  const wanted = new URLSearchParams(location.search).get('transport') ?? '';
  return Object.hasOwn(NAMES, wanted) ? wanted : 'auto';
}

export const transportName = (transport) => NAMES[transport];

/**
 * One quiet line on why it is not WebRTC.
 *
 * @param {Error | null} cause
 * @param {'sending' | 'watching'} what
 */
export function fallbackLine(cause, what) {
  return cause ? `WebRTC did not get through; ${what} over a WebSocket instead.` : '';
}
