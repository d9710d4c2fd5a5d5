import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { RunEvent } from '../../src/lineage/facets.ts';

interface Received {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly event: RunEvent;
}

export interface LineageServer {
  readonly url: string;
  /** In the order in which they came. */
  readonly received: readonly Received[];
  /** The events alone. */
  events(): RunEvent[];
}

/** What a server of lineage does with the n-th event, from 0: a status, or undefined to never answer. */
export type Answer = (event: number) => number | undefined;

/** Receives events on a free port until the test ends. */
export async function lineageServer(answer: Answer = () => 201): Promise<LineageServer> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { url = '', headers } = request;
      const status = answer(received.length);
      received.push({ path: url, authorization: headers.authorization, event: JSON.parse(String(Buffer.concat(parts))) });
      if (status !== undefined) response.writeHead(status).end();
    });
  });
  await listening(server);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, received, events: () => received.map(({ event }) => event) };
}

function listening(server: Server): Promise<void> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
}

/** A port of this machine at which nothing listens. */
export async function closedPort(): Promise<number> {
  const server = createServer();
  await listening(server);
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
