import { expect, it } from 'vitest';
import { Sender } from '../../src/lineage/sender.ts';
import { closedPort, lineageServer } from '../support/lineage-server.ts';

const START = async () => ({ eventType: 'START' });
const COMPLETE = async () => ({ eventType: 'COMPLETE' });

function sender(url: string, authorization?: string): Sender {
  return new Sender({ url: new URL('/api/v1/lineage', url), authorization });
}

it('sends one event after the other, with the token', async () => {
  const server = await lineageServer();
  const to = sender(server.url, 'Bearer secret');
  to.send(START);
  to.send(COMPLETE);
  expect(await to.close()).toBeUndefined();
  expect(server.received).toEqual([
    { path: '/api/v1/lineage', authorization: 'Bearer secret', event: { eventType: 'START' } },
    { path: '/api/v1/lineage', authorization: 'Bearer secret', event: { eventType: 'COMPLETE' } },
  ]);
});

it('sends an event again that a server could not take at the moment', async () => {
  const server = await lineageServer((event) => (event === 0 ? 503 : 200));
  const to = sender(server.url);
  to.send(START);
  to.send(COMPLETE);
  expect(await to.close()).toBeUndefined();
  expect(server.events()).toEqual([{ eventType: 'START' }, { eventType: 'START' }, { eventType: 'COMPLETE' }]);
});

it.each([400, 401, 302])('gives up an event that is answered with %d, and sends the next one', async (status) => {
  const server = await lineageServer((event) => (event === 0 ? status : 200));
  const to = sender(server.url);
  to.send(START);
  to.send(COMPLETE);
  expect(await to.close()).toEqual({ events: 1, of: 2, reason: `it answered ${status}` });
  expect(server.received).toHaveLength(2);
});

it('gives up in time if nothing answers, after it has tried the last event too', async () => {
  const server = await lineageServer(() => undefined);
  const to = sender(server.url);
  to.send(START);
  to.send(COMPLETE);
  expect(await to.close()).toEqual({ events: 2, of: 2, reason: 'it did not answer in time' });
  expect(server.events()).toEqual([{ eventType: 'START' }, { eventType: 'COMPLETE' }]);
});

it('says of many events why the first one was lost, not that there was no time for the last ones', async () => {
  const server = await lineageServer(() => undefined);
  const to = sender(server.url);
  for (let i = 0; i < 50; i += 1) to.send(START);
  expect(await to.close()).toEqual({ events: 50, of: 50, reason: 'it did not answer in time' });
});

it('gives up if nobody listens', async () => {
  const to = sender(`http://127.0.0.1:${await closedPort()}`);
  to.send(COMPLETE);
  expect(await to.close()).toEqual({ events: 1, of: 1, reason: 'ECONNREFUSED' });
});

it('tries no more once three events in a row were not taken', async () => {
  const server = await lineageServer(() => 403);
  const to = sender(server.url);
  for (let i = 0; i < 5; i += 1) to.send(START);
  expect(await to.close()).toEqual({ events: 5, of: 5, reason: 'it answered 403' });
  expect(server.received).toHaveLength(3);
});

it('tries one event again after a minute, and the others once that is taken', async () => {
  const server = await lineageServer((event) => (event < 4 ? 403 : 200));
  let now = 0;
  const clock = () => {
    now += 20_000;
    return now;
  };
  const to = new Sender({ url: new URL('/api/v1/lineage', server.url), authorization: undefined }, clock);
  for (let i = 0; i < 10; i += 1) to.send(async () => ({ number: i }));
  expect(await to.close()).toEqual({ events: 8, of: 10, reason: 'it answered 403' });
  expect(server.events()).toEqual([0, 1, 2, 5, 8, 9].map((number) => ({ number })));
});

it('takes an event that cannot be made as one that was not sent', async () => {
  const server = await lineageServer();
  const to = sender(server.url);
  to.send(() => Promise.reject(new Error('no')));
  to.send(COMPLETE);
  expect(await to.close()).toEqual({ events: 1, of: 2, reason: 'no' });
  expect(server.events()).toEqual([{ eventType: 'COMPLETE' }]);
});
