import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';

// An HTTP proxy in front of an emulator that simulates network and server faults for chosen requests.

/** A fault of a request. */
export type FaultKind = keyof typeof FAULTS;

/** Chooses the fault of a request by its method, address and body; undefined for none. */
export type Plan = (text: string) => FaultKind | undefined | Promise<undefined>;

export interface FaultProxy {
  readonly url: string;
  /** Texts of all requests, in order. */
  readonly requests: readonly string[];
  /** Number of times that each fault occurred. */
  readonly injected: ReadonlyMap<FaultKind, number>;
  /** Closes the proxy and all its connections. */
  close(): void;
}

interface Exchange {
  readonly request: http.IncomingMessage;
  readonly response: http.ServerResponse;
  /** Forwards the request to the server. @throws Error if it does not answer */
  forward(): Promise<Answer>;
  /** Milliseconds; longer than the client waits. */
  readonly late: number;
}

interface Answer {
  readonly status: number;
  readonly headers: http.OutgoingHttpHeaders;
  readonly body: Buffer;
}

/** Milliseconds that no client takes for a failure. */
const DELAY_MS = 300;

const FAULTS = {
  /** The connection is cut before the server has the request. */
  'cut before': async ({ request }: Exchange) => void request.socket.destroy(),
  /** The server executes the request, but its answer is lost. */
  'cut after': async ({ request, forward }: Exchange) => {
    await forward();
    request.socket.destroy();
  },
  /** The connection is cut in the middle of the answer. */
  'cut during': async ({ request, response, forward }: Exchange) => {
    const { status, headers, body } = await forward();
    response.writeHead(status, headers);
    await new Promise<void>((resolve) => response.write(body.subarray(0, body.length / 2), () => resolve()));
    request.socket.destroy();
  },
  delay: async (exchange: Exchange) => {
    await sleep(DELAY_MS);
    send(exchange.response, await exchange.forward());
  },
  '429': async ({ response }: Exchange) => send(response, refusal(429, 'rateLimitExceeded')),
  '429, Retry-After': async ({ response }: Exchange) =>
    send(response, refusal(429, 'rateLimitExceeded', { 'retry-after': '1' })),
  '500': async ({ response }: Exchange) => send(response, refusal(500, 'internalError')),
  '503': async ({ response }: Exchange) => send(response, refusal(503, 'backendError')),
  '503, Retry-After': async ({ response }: Exchange) => send(response, refusal(503, 'backendError', { 'retry-after': '1' })),
  /** The request is accepted, but never answered. */
  'half-open': async () => undefined,
  /** The server executes the request, but its answer comes after the client has given up. */
  late: async ({ response, forward, late }: Exchange) => {
    const answer = await forward();
    await sleep(late, undefined, { ref: false });
    send(response, answer);
  },
  /** The request arrives twice, and one answer is returned. */
  twice: async ({ response, forward }: Exchange) => {
    const first = await forward();
    await forward();
    send(response, first);
  },
} as const satisfies Record<string, (exchange: Exchange) => Promise<void>>;

export const FAULT_KINDS = Object.keys(FAULTS) as FaultKind[];

/** A fault of matching requests: `times` of them, starting with the n-th, counted from 1. */
export function faultAt(kind: FaultKind, when: RegExp, { nth = 1, times = 1 } = {}): Plan {
  let matched = 0;
  return (text) => {
    if (!when.test(text)) return undefined;
    matched += 1;
    return matched >= nth && matched < nth + times ? kind : undefined;
  };
}

/** Random faults. @param random returns numbers in [0, 1) @param probability of a fault in each request */
export function faultsByChance(random: () => number, probability: number, kinds = FAULT_KINDS): Plan {
  return () => (random() < probability ? kinds[Math.floor(random() * kinds.length)] : undefined);
}

/**
 * Call `close` at the end.
 *
 * @param late milliseconds; longer than the client waits for an answer
 * @param host the one that the server is told; where requests are signed, the client's
 */
export async function startFaultProxy(
  target: string,
  plan: Plan,
  late = 10_000,
  host: 'server' | 'client' = 'server',
): Promise<FaultProxy> {
  const requests: string[] = [];
  const injected = new Map<FaultKind, number>();
  const server = http.createServer(async (request, response) => {
    // The client may disconnect before the whole request has arrived.
    const body = await buffer(request).catch(() => undefined);
    if (body === undefined) return;
    const text = `${request.method} ${request.url}\n${readable(body, request.headers['content-encoding'])}`;
    requests.push(text);
    const kind = await plan(text);
    const exchange = { request, response, forward: () => forward(target, request, body, host), late };
    if (kind !== undefined) injected.set(kind, (injected.get(kind) ?? 0) + 1);
    try {
      if (kind === undefined) send(response, await exchange.forward());
      else await FAULTS[kind](exchange);
    } catch {
      request.socket.destroy();
    }
  });
  server.on('connection', (socket) => socket.on('error', () => undefined));
  // Connections are reused. Closing an idle one would be a fault that no test has asked for.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    injected,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function forward(
  target: string,
  { method, url, headers }: http.IncomingMessage,
  body: Buffer,
  host: 'server' | 'client',
): Promise<Answer> {
  const answered = await new Promise<http.IncomingMessage>((resolve, reject) => {
    const address = new URL(url ?? '/', target);
    const told = host === 'server' ? address.host : headers.host;
    const sent = http.request(address, { method, headers: { ...headers, host: told }, agent: false });
    sent.once('error', reject).once('response', resolve).end(body);
  });
  return { status: answered.statusCode ?? 500, headers: answered.headers, body: await buffer(answered) };
}

function send(response: http.ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, headers).end(body);
}

/** In Google's format; Snowflake's driver reads only the status of an error. */
function refusal(status: number, reason: string, headers: http.OutgoingHttpHeaders = {}): Answer {
  const message = `the proxy answers ${status}`;
  const error = { code: status, message, errors: [{ reason, message, domain: 'global' }] };
  return { status, headers: { ...headers, 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify({ error })) };
}

function readable(body: Buffer, encoding: string | undefined): string {
  return (encoding === 'gzip' ? gunzipSync(body) : body).toString('utf8');
}
