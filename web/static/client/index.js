/**
 * The browser library of weir: publish a MediaStream, watch a broadcast.
 *
 *     import {Publisher, Viewer} from '/static/client/index.js';
 *
 *     const publisher = new Publisher({name: 'acme/alice', stream});
 *     await publisher.start();
 *
 *     const viewer = new Viewer({name: 'acme/alice', video});
 *     viewer.start();
 *
 * Both are EventTargets: `state` tells where they stand (event.detail is
 * {state, previous, problem, transport, fallbackReason}), `stats` brings figures once a
 * second. Both go by WebRTC, and by a WebSocket where that does not get through;
 * the option `transport` ('auto', 'webrtc', 'websocket') forces one.
 */
export {Publisher} from './publisher.js';
export {Viewer} from './viewer.js';
export {Problem} from './problem.js';
export {nameProblem} from './name.js';
export {textProblem} from './texts.js';
