import assert from 'node:assert/strict';
import {test} from 'node:test';
import {Problem, errorOf, problemFrom, problemOf, request, statusOf} from '../static/client/problem.js';

const answer = (status, body, headers = {}) => new Response(body, {status, statusText: 'Odd', headers});

test('the message is a sentence for people', () => {
  assert.equal(new Problem({title: 'Taken', detail: 'Somebody broadcasts.'}).message, 'Somebody broadcasts.');
  assert.equal(new Problem({title: 'Taken'}).message, 'Taken');
  assert.equal(new Problem().message, 'Something went wrong.');
});

test('what may well succeed a little later', () => {
  const temporary = [0, 400, 401, 404, 408, 409, 410, 415, 422, 425, 429, 500, 503].filter((status) => new Problem({status}).temporary);
  assert.deepEqual(temporary, [0, 408, 425, 429, 500, 503]);
});

test('an answer with problem+json', async () => {
  const body = JSON.stringify({type: 'urn:x', title: 'Full', detail: 'Come back.', status: 200, other: 1});
  const problem = await problemFrom(answer(503, body, {'Content-Type': 'application/problem+json', 'Retry-After': '3'}));
  const {status, type, title, detail, retryAfter} = problem;
  assert.deepEqual({status, type, title, detail, retryAfter}, {status: 503, type: 'urn:x', title: 'Full', detail: 'Come back.', retryAfter: 3000});
});

test('answers that are no problem+json, or not what they say', async () => {
  for (const [body, headers] of [
    ['<h1>Full', {'Content-Type': 'text/html'}],
    ['{', {'Content-Type': 'application/json'}],
    ['null', {'Content-Type': 'application/json'}],
    ['{"title":7,"detail":""}', {'Content-Type': 'application/problem+json'}],
  ]) {
    const problem = await problemFrom(answer(502, body, headers));
    assert.equal(problem.status, 502);
    assert.equal(problem.message, 'Odd');
    assert.equal(problem.type, 'about:blank');
  }
});

test('Retry-After that is no number of seconds is none', async () => {
  for (const value of ['Wed, 21 Oct 2026 07:28:00 GMT', '-1', 'soon', '']) {
    assert.equal((await problemFrom(answer(503, '', value ? {'Retry-After': value} : {}))).retryAfter, undefined, value);
  }
  assert.equal((await problemFrom(answer(503, '', {'Retry-After': '0'}))).retryAfter, 0);
});

test('a request without an answer, one that is refused, and one that was given up', async (t) => {
  const fetch = t.mock.method(globalThis, 'fetch', async () => answer(200, 'ok'));
  assert.equal(await (await request('http://x/')).text(), 'ok');
  fetch.mock.mockImplementation(async () => answer(404, ''));
  await assert.rejects(request('http://x/'), {name: 'Problem', status: 404});
  fetch.mock.mockImplementation(async () => {
    throw new TypeError('failed to fetch');
  });
  await assert.rejects(request('http://x/'), {name: 'Problem', status: 0, title: 'No answer'});
  fetch.mock.mockImplementation(async () => {
    throw new DOMException('stopped', 'AbortError');
  });
  await assert.rejects(request('http://x/', {signal: AbortSignal.abort()}), {name: 'AbortError'});
});

test('whatever was thrown', () => {
  const problem = new Problem({status: 7});
  assert.equal(problemOf(problem), problem);
  assert.equal(statusOf(problem), 7);
  assert.equal(statusOf({status: 409}), undefined);
  assert.equal(statusOf(null), undefined);
  assert.equal(problemOf('odd').message, 'odd');
  assert.equal(problemOf(new RangeError('far')).cause.name, 'RangeError');
  assert.equal(errorOf(undefined).message, 'undefined');
});
