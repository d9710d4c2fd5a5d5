import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

interface Posted {
  readonly method: string;
  readonly path: string;
  readonly type: string;
  readonly body: { readonly text: string; readonly blocks?: readonly Block[] };
}

interface Block {
  readonly type: string;
  readonly text?: { readonly type: string; readonly text: string };
}

/** What the server does with a request: answers it, or not. */
export type Answer = (response: http.ServerResponse, request: http.IncomingMessage) => void;

export const OK: Answer = (response) => void response.end('ok');

/** A webhook on this machine, which stands in for those of Slack and Mattermost, that cannot be had here. */
export async function webhookServer(answer: Answer = OK) {
  const posted: Posted[] = [];
  const server = http.createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      posted.push({ method, path, type: headers['content-type'] ?? '', body: JSON.parse(Buffer.concat(parts).toString()) });
      answer(response, request);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { posted, port, url: `http://127.0.0.1:${port}/services/T000/B000/hush-hush-token` };
}
