import { createServer, type Socket } from 'node:net';

const [LIST_OFFSETS, METADATA, SASL_HANDSHAKE, API_VERSIONS, DESCRIBE_CONFIGS, SASL_AUTHENTICATE] = [2, 3, 17, 18, 32, 36];
/** The newest version of each that is answered. */
const VERSIONS = new Map([
  [LIST_OFFSETS, 1],
  [METADATA, 10],
  [SASL_HANDSHAKE, 1],
  [API_VERSIONS, 2],
  [DESCRIBE_CONFIGS, 0],
  [SASL_AUTHENTICATE, 0],
]);
const UNKNOWN_TOPIC = 3;

/** What becomes of a password: its user is let in, or refused, or the connection is closed. */
export type Proof = 'accepted' | 'refused' | 'closed';

interface FakeOptions {
  /** Asked for each password that is to be proved. */
  readonly proof?: () => Proof;
  /** Whether the broker knows the topic, asked for each time that it is to say so. */
  readonly knows?: (topic: string) => boolean;
  /** Of other brokers, which it names after itself; their ids count from 2. */
  readonly others?: readonly number[];
}

export interface FakeBroker {
  readonly port: number;
  readonly address: string;
  close(): Promise<void>;
}

/** Id 1 of its cluster: it takes passwords of PLAIN and describes topics of one partition, with answers of the test. */
export async function fakeBroker({
  proof = () => 'accepted',
  knows = () => true,
  others = [],
}: FakeOptions): Promise<FakeBroker> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    let left = Buffer.alloc(0);
    socket.on('data', (bytes) => {
      left = Buffer.concat([left, bytes]);
      while (left.length >= 4 && left.length >= 4 + left.readInt32BE()) {
        const request = left.subarray(4, 4 + left.readInt32BE());
        left = left.subarray(4 + request.length);
        const body = answer(request);
        if (body === undefined) socket.destroy();
        else socket.write(Buffer.concat([int32(body.length + 4), request.subarray(4, 8), body]));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };

  function answer(request: Buffer): Buffer | undefined {
    const key = request.readInt16BE();
    const body = request.subarray(10 + request.readInt16BE(8));
    switch (key) {
      case API_VERSIONS: {
        const versions = [...VERSIONS].map(([api, newest]) => Buffer.concat([int16(api), int16(0), int16(newest)]));
        return Buffer.concat([int16(0), array(versions), int32(0)]);
      }
      case SASL_HANDSHAKE:
        return Buffer.concat([int16(0), array([text('PLAIN')])]);
      case SASL_AUTHENTICATE: {
        const found = proof();
        if (found === 'closed') return undefined;
        return found === 'refused'
          ? Buffer.concat([int16(58), text('Authentication failed'), int32(0)])
          : Buffer.concat([int16(0), int16(-1), int32(0)]);
      }
      case METADATA:
        return metadata(topicsOf(body));
      case LIST_OFFSETS: {
        const topic = body.subarray(10, 10 + body.readInt16BE(8)).toString();
        const partition = Buffer.concat([int32(0), int16(knows(topic) ? 0 : UNKNOWN_TOPIC), Buffer.alloc(16)]);
        return array([Buffer.concat([text(topic), array([partition])])]);
      }
      case DESCRIBE_CONFIGS:
        return Buffer.concat([int32(0), array([Buffer.concat([int16(0), int16(-1), Buffer.from([2]), text('t'), array([])])])]);
      default:
        return undefined;
    }
  }

  function metadata(topics: readonly string[]): Buffer {
    const brokers = [port, ...others].map((of, i) =>
      Buffer.concat([int32(i + 1), compact('127.0.0.1'), int32(of), Buffer.from([0, 0])]),
    );
    const described = topics.map((topic) => {
      const known = knows(topic);
      const replicas = Buffer.concat([Buffer.from([2]), int32(1)]);
      const partition = [int16(0), int32(0), int32(1), int32(0), replicas, replicas, Buffer.from([1, 0])];
      const partitions = Buffer.concat([Buffer.from([known ? 2 : 1]), ...(known ? partition : [])]);
      const head = [int16(known ? 0 : UNKNOWN_TOPIC), compact(topic), Buffer.alloc(16, 1), Buffer.from([0])];
      return Buffer.concat([...head, partitions, int32(0), Buffer.from([0])]);
    });
    const [head, end] = [Buffer.alloc(1 + 4), Buffer.concat([compact('cluster'), int32(1)])];
    return Buffer.concat([head, compactArray(brokers), end, compactArray(described), int32(0), Buffer.from([0])]);
  }

  return {
    port,
    address: `127.0.0.1:${port}`,
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** Of a request for metadata: few, with short names. */
function topicsOf(body: Buffer): string[] {
  const topics: string[] = [];
  let at = 2;
  for (let count = (body[1] as number) - 1; count > 0; count -= 1) {
    const length = (body[at + 16] as number) - 1;
    topics.push(body.subarray(at + 17, at + 17 + length).toString());
    at += 18 + length;
  }
  return topics;
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function text(value: string): Buffer {
  return Buffer.concat([int16(value.length), Buffer.from(value)]);
}

function array(items: readonly Buffer[]): Buffer {
  return Buffer.concat([int32(items.length), ...items]);
}

function compact(value: string): Buffer {
  return Buffer.concat([Buffer.from([value.length + 1]), Buffer.from(value)]);
}

function compactArray(items: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from([items.length + 1]), ...items]);
}
