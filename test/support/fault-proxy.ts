import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';

// An HTTP proxy in front of an emulator that does to chosen requests what networks and sick servers do.

/** What becomes of a request. */
export type FaultKind = keyof typeof FAULTS;

/** Says of each request, by its method, address and body, what is done to it; undefined for nothing. */
export type Plan = (text: string) => FaultKind | undefined | Promise<undefined>;

export interface FaultProxy {
  readonly url: string;
  /** Texts of all requests that came, in order. */
  readonly requests: readonly string[];
  /** How often each fault was done. */
  readonly injected: ReadonlyMap<FaultKind, number>;
  /** Ends it, and every connection that it has. */
  close(): void;
}

interface Exchange {
  readonly request: http.IncomingMessage;
  readonly response: http.ServerResponse;
  /** Lets the server do what is asked. @throws Error where it does not answer */
  forward(): Promise<Answer>;
  /** Milliseconds that are more than the client waits. */
  readonly late: number;
}

interface Answer {
  readonly status: number;
  readonly headers: http.OutgoingHttpHeaders;
  readonly body: Buffer;
}

/** A while that no client takes for a failure. */
const DELAY_MS = 300;

const FAULTS = {
  /** The connection is cut before the server has the request. */
  'cut before': async ({ request }: Exchange) => void request.socket.destroy(),
  /** The server does what is asked, and its answer is lost. */
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
  /** The request is taken, and nothing ever comes back. */
  'half-open': async () => undefined,
  /** The server does what is asked, and its answer comes when nobody waits for it any more. */
  late: async ({ response, forward, late }: Exchange) => {
    const answer = await forward();
    await sleep(late, undefined, { ref: false });
    send(response, answer);
  },
  /** The request arrives twice, and one answer comes back. */
  twice: async ({ response, forward }: Exchange) => {
    const first = await forward();
    await forward();
    send(response, first);
  },
} as const satisfies Record<string, (exchange: Exchange) => Promise<void>>;

export const FAULT_KINDS = Object.keys(FAULTS) as FaultKind[];

/** A fault of the requests that match: of the n-th, counted from 1, and of as many more as `times` says. */
export function faultAt(kind: FaultKind, when: RegExp, { nth = 1, times = 1 } = {}): Plan {
  let matched = 0;
  return (text) => {
    if (!when.test(text)) return undefined;
    matched += 1;
    return matched >= nth && matched < nth + times ? kind : undefined;
  };
}

/** Faults by chance. @param random gives numbers from 0 to 1 @param probability of a fault in each request */
export function faultsByChance(random: () => number, probability: number, kinds = FAULT_KINDS): Plan {
  return () => (random() < probability ? kinds[Math.floor(random() * kinds.length)] : undefined);
}

/** Call `close` in the end. @param late milliseconds that are more than the client waits for an answer */
export async function startFaultProxy(target: string, plan: Plan, late = 10_000): Promise<FaultProxy> {
  const requests: string[] = [];
  const injected = new Map<FaultKind, number>();
  const server = http.createServer(async (request, response) => {
    // Who asks may be gone before all is there.
    const body = await buffer(request).catch(() => undefined);
    if (body === undefined) return;
    const text = `${request.method} ${request.url}\n${readable(body, request.headers['content-encoding'])}`;
    requests.push(text);
    const kind = await plan(text);
    const exchange = { request, response, forward: () => forward(target, request, body), late };
    if (kind !== undefined) injected.set(kind, (injected.get(kind) ?? 0) + 1);
    try {
      if (kind === undefined) send(response, await exchange.forward());
      else await FAULTS[kind](exchange);
    } catch {
      request.socket.destroy();
    }
  });
  server.on('connection', (socket) => socket.on('error', () => undefined));
  // A connection that was answered on is used again; that it is closed for being idle is no fault of this test.
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

async function forward(target: string, { method, url, headers }: http.IncomingMessage, body: Buffer): Promise<Answer> {
  const answered = await new Promise<http.IncomingMessage>((resolve, reject) => {
    const address = new URL(url ?? '/', target);
    const sent = http.request(address, { method, headers: { ...headers, host: address.host }, agent: false });
    sent.once('error', reject).once('response', resolve).end(body);
  });
  return { status: answered.statusCode ?? 500, headers: answered.headers, body: await buffer(answered) };
}

function send(response: http.ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, headers).end(body);
}

/** As Google writes it; of a refusal Snowflake's driver reads the status only. */
function refusal(status: number, reason: string, headers: http.OutgoingHttpHeaders = {}): Answer {
  const message = `the proxy answers ${status}`;
  const error = { code: status, message, errors: [{ reason, message, domain: 'global' }] };
  return { status, headers: { ...headers, 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify({ error })) };
}

function readable(body: Buffer, encoding: string | undefined): string {
  return (encoding === 'gzip' ? gunzipSync(body) : body).toString('utf8');
}
