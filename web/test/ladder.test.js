import assert from 'node:assert/strict';
import {afterEach, beforeEach, test} from 'node:test';
import {Ladder} from '../static/client/ladder.js';
import {NO_PATH, Problem} from '../static/client/problem.js';

class WebRTC {
  constructor(options) {
    this.patience = options.patience;
  }
}
class Socket extends WebRTC {
  static supported = true;
}
class NoSocket extends WebRTC {
  static supported = false;
}

const ladder = (transport = 'auto', websocket = Socket) => new Ladder(transport, {webrtc: WebRTC, websocket});

beforeEach(() => {
  globalThis.RTCPeerConnection = class {};
});
afterEach(() => {
  delete globalThis.RTCPeerConnection;
});

test('WebRTC comes first, and briefly where there is something to fall back on', () => {
  const l = ladder();
  assert.equal(l.transport, 'webrtc');
  assert.equal(l.fallbackReason, null);
  const first = l.make({});
  assert.ok(first instanceof WebRTC && !(first instanceof Socket));
  assert.ok(first.patience < ladder('webrtc').make({}).patience);
  assert.equal(ladder('auto', NoSocket).make({}).patience, ladder('webrtc').make({}).patience);
});

const failures = [
  ['no media path', new Problem({type: NO_PATH}), true],
  ['an offer that the server cannot use', new Problem({status: 422}), true],
  ['an error of the browser itself', new TypeError('createOffer'), true],
  ['no answer', new Problem({status: 0}), true],
  ['a name that is taken', new Problem({status: 409}), false],
  ['a server that is full', new Problem({status: 503}), false],
  ['not allowed', new Problem({status: 401}), false],
];
for (const [what, error, falls] of failures) {
  test(`${what}: ${falls ? 'goes over to the WebSocket' : 'stays with WebRTC'}`, () => {
    const l = ladder();
    assert.equal(l.failed(error), falls);
    assert.equal(l.transport, falls ? 'websocket' : 'webrtc');
    assert.equal(l.fallbackReason?.message ?? null, falls ? error.message : null);
    assert.ok(l.fallbackReason === null || l.fallbackReason instanceof Problem);
  });
  test(`${what}: one that was asked for is kept`, () => {
    const l = ladder('webrtc');
    assert.equal(l.failed(error), false);
    assert.equal(l.transport, 'webrtc');
  });
}

test('once WebRTC has worked, a server out of reach says nothing of it', () => {
  const l = ladder();
  l.worked();
  assert.equal(l.failed(new Problem({status: 0})), false);
  assert.equal(l.failed(new Problem({type: NO_PATH})), true);
});

test('where neither way gets anywhere it goes up again, unless the reason lasts', () => {
  const l = ladder();
  l.failed(new Problem({status: 0}));
  assert.equal(l.failed(new Problem({status: 0})), false);
  assert.equal(l.transport, 'webrtc');
  assert.equal(l.fallbackReason, null);

  const lasting = ladder();
  lasting.failed(new Problem({status: 422}));
  assert.equal(lasting.failed(new Problem({status: 0})), false);
  assert.equal(lasting.transport, 'websocket');
});

test('a browser without WebRTC, or without the other way', () => {
  delete globalThis.RTCPeerConnection;
  const l = ladder();
  assert.equal(l.transport, 'websocket');
  assert.match(l.fallbackReason.message, /no WebRTC/);
  assert.throws(() => ladder('webrtc').make({}), {status: 422});
  assert.throws(() => ladder('websocket', NoSocket).make({}), {status: 422});
  assert.throws(() => ladder('carrier pigeon'), TypeError);
});
