// A client in its own process that sends requests to one server as fast as it answers (closed loop) or at random times (open
// loop). It uses plain sockets and only looks for the end of each answer: a full HTTP client takes more of the two cores than
// the measured server, and no maintained one supports open loops.
//
//   node client.js '{"port":8080,"request":{…},"connections":32,"seconds":5}'
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Load {
  readonly port: number;
  /** The whole request, head and body, in base64. */
  readonly request: string;
  readonly connections: number;
  readonly seconds: number;
  /** Requests per second, arriving at random; if missing, each connection sends its next request once it is answered. */
  readonly rate?: number;
}

export interface Measured {
  readonly perSecond: number;
  /** Milliseconds; with a rate, counted from when a request was due, not from when it was sent. */
  readonly p50: number;
  readonly p99: number;
  readonly answered: number;
  /** Answers without status 200, and lost connections. */
  readonly failed: number;
}

const HEAD_END = Buffer.from('\r\n\r\n');

/** A connection with at most one pending request. */
class Connection {
  private parts: Buffer[] = [];
  private done: ((ok: boolean) => void) | undefined;
  private readonly socket: Socket;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (data) => this.take(data));
    for (const event of ['error', 'close']) socket.on(event, () => this.finish(false));
  }

  ask(request: Buffer): Promise<boolean> {
    return new Promise((resolve) => {
      this.done = resolve;
      this.socket.write(request);
    });
  }

  close(): void {
    this.done = undefined;
    this.socket.destroy();
  }

  private take(data: Buffer): void {
    this.parts.push(data);
    const all = this.parts.length === 1 ? data : Buffer.concat(this.parts);
    const end = all.indexOf(HEAD_END);
    if (end < 0) return;
    const head = all.toString('latin1', 0, end).toLowerCase();
    const length = /\ncontent-length: *(\d+)/.exec(head)?.[1];
    const complete =
      length === undefined ? all.subarray(-5).toString() === '0\r\n\r\n' : all.length >= end + 4 + Number(length);
    if (complete) this.finish(head.startsWith('http/1.1 200'));
  }

  private finish(ok: boolean): void {
    this.parts = [];
    const { done } = this;
    this.done = undefined;
    done?.(ok);
  }
}

function open(port: number): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(new Connection(socket)));
    socket.once('error', reject);
  });
}

async function run({ port, request: text, connections, seconds, rate }: Load): Promise<Measured> {
  const request = Buffer.from(text, 'base64');
  const all = await Promise.all(Array.from({ length: connections }, () => open(port)));
  const latencies: number[] = [];
  let failed = 0;
  const began = performance.now();
  const end = began + 1000 * seconds;
  const ask = async (connection: Connection, since: number): Promise<void> => {
    if (await connection.ask(request)) latencies.push(performance.now() - since);
    else failed += 1;
  };
  if (rate === undefined) {
    await Promise.all(
      all.map(async (connection) => {
        while (performance.now() < end && failed < 1000) await ask(connection, performance.now());
      }),
    );
  } else {
    await arrive({ all: [...all], ask, rate, began, end });
  }
  const took = (performance.now() - began) / 1000;
  for (const connection of all) connection.close();
  latencies.sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.floor(share * latencies.length)] ?? Number.NaN;
  return { perSecond: latencies.length / took, p50: at(0.5), p99: at(0.99), answered: latencies.length, failed };
}

interface Arrivals {
  /** Idle connections. */
  readonly all: Connection[];
  ask(connection: Connection, since: number): Promise<void>;
  readonly rate: number;
  readonly began: number;
  readonly end: number;
}

/**
 * Requests arrive with exponential gaps. If no connection is idle, a request waits, and its latency counts from its arrival.
 */
async function arrive({ all: idle, ask, rate, began, end }: Arrivals): Promise<void> {
  const due: number[] = [];
  let next = began;
  let open = 0;
  const serve = (): void => {
    for (let connection = idle.pop(); connection !== undefined; connection = idle.pop()) {
      const since = due.shift();
      if (since === undefined) {
        idle.push(connection);
        return;
      }
      open += 1;
      const mine = connection;
      void ask(mine, since).then(() => {
        open -= 1;
        idle.push(mine);
        serve();
      });
    }
  };
  while (performance.now() < end || open > 0 || due.length > 0) {
    const now = performance.now();
    while (next <= now && next < end) {
      due.push(next);
      next += (-Math.log(1 - Math.random()) / rate) * 1000;
    }
    serve();
    // At most a millisecond late, which counts as latency. A busy loop would take a whole core from the server.
    await sleep(1);
  }
}

process.stdout.write(JSON.stringify(await run(JSON.parse(process.argv[2] ?? '') as Load)));
