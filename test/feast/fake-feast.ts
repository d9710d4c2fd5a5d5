import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

/** Columns of a request by join key. */
export type Entities = Readonly<Record<string, readonly unknown[]>>;

/** A value of the store, by feature and entity; undefined: not found. */
export type Store = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** What stands in for Feast where Feast cannot be made to answer so: each answer is what a test says. */
export interface FakeFeast {
  readonly url: string;
  /** The entities of each request after the first, which the start asks. */
  readonly asked: Entities[];
  /** How requests are answered from now on. */
  answer: (response: ServerResponse, entities: Entities) => void;
  close(): Promise<void>;
}

/** An answer as Feast's: feature-major, with a status and a time per value. @param key the join key, whose values are echoed */
export function feastAnswer(store: Store, entities: Entities, { at = new Date().toISOString() } = {}): object {
  const [[key, values] = ['', []]] = Object.entries(entities);
  const found = Object.entries(store).map(([name, byKey]) => ({
    name,
    values: values.map((one) => byKey[String(one)] ?? null),
    statuses: values.map((one) => (String(one) in byKey ? 'PRESENT' : 'NOT_FOUND')),
    event_timestamps: values.map((one) => (String(one) in byKey ? at : '1970-01-01T00:00:00Z')),
  }));
  const echo = { values, statuses: values.map(() => 'PRESENT'), event_timestamps: values.map(() => '1970-01-01T00:00:00Z') };
  return {
    results: [echo, ...found.map(({ name, ...result }) => result)],
    metadata: { feature_names: [key, ...found.map(({ name }) => name)] },
  };
}

export function sendJson(response: ServerResponse, json: unknown, status = 200): void {
  response
    .writeHead(status, { 'content-type': 'application/json' })
    .end(typeof json === 'string' ? json : JSON.stringify(json));
}

/** A server that answers from a store, until a test changes its mind. */
export async function fakeFeast(store: Store, { port = 0 } = {}): Promise<FakeFeast> {
  const asked: Entities[] = [];
  const fake = {
    answer: (response: ServerResponse, entities: Entities) => sendJson(response, feastAnswer(store, entities)),
  };
  const server = createServer((request: IncomingMessage, response) => {
    void text(request).then((body) => {
      const { entities } = JSON.parse(body) as { entities: Entities };
      asked.push(entities);
      fake.answer(response, entities);
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  onTestFinished(close);
  return Object.assign(fake, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, close });
}
