import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { printableValue } from '../domain/printable.ts';
import { systemCode } from '../errors.ts';
import type { FeatureStore, KeyValue } from '../serve/feature-lookup.ts';
import { parseExact } from './exact-json.ts';
import { FeastProblem } from './problem.ts';

/** Values of join keys, column by column. */
type EntityColumns = ReadonlyMap<string, readonly KeyValue[]>;

/** Feast's HTTP feature server. */
export interface FeastClient {
  /** The JSON of an answer, unchecked. @throws FeastProblem */
  ask(entities: EntityColumns): Promise<unknown>;
  close(): void;
}

/** Most characters of Feast's own message to show. */
const DETAIL = 300;

export function createClient(store: FeatureStore): FeastClient {
  const url = new URL(`${store.server}/get-online-features`);
  const secure = url.protocol === 'https:';
  const agent = new (secure ? HttpsAgent : HttpAgent)({ keepAlive: true, maxSockets: store.concurrency });
  const send = secure ? httpsRequest : httpRequest;

  function once(body: string, signal: AbortSignal): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const sent = send(url, {
        method: 'POST',
        agent,
        signal,
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          accept: 'application/json',
          ...(store.token !== undefined && { authorization: `Bearer ${store.token}` }),
        },
      });
      sent.on('response', (response) => read(response, store.answerBytes).then(resolve, reject));
      sent.on('error', (error) => {
        // The server may close a kept connection just as it is reused.
        const stale = sent.reusedSocket && ['ECONNRESET', 'EPIPE'].includes(systemCode(error) ?? '');
        if (stale && !signal.aborted) once(body, signal).then(resolve, reject);
        else reject(error);
      });
      sent.end(body);
    });
  }

  return {
    async ask(entities) {
      const body = `{"feature_service":${JSON.stringify(store.service)},"full_feature_names":true,"entities":${columns(entities)}}`;
      const signal = AbortSignal.timeout(store.timeoutMs);
      try {
        return await once(body, signal);
      } catch (error) {
        if (error instanceof FeastProblem) throw error;
        if (signal.aborted) throw new FeastProblem('timeout', `no answer within ${store.timeoutMs} ms`);
        throw new FeastProblem('unreachable', `no connection (${systemCode(error) ?? 'the connection broke'})`);
      }
    },
    close: () => agent.destroy(),
  };
}

/** Written by hand: `JSON.stringify` does not accept bigints. */
function columns(entities: EntityColumns): string {
  const texts = [...entities].map(([name, values]) => {
    const list = values.map((value) => (typeof value === 'string' ? JSON.stringify(value) : String(value)));
    return `${JSON.stringify(name)}:[${list.join(',')}]`;
  });
  return `{${texts.join(',')}}`;
}

async function read(response: IncomingMessage, most: number): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > most) {
      response.destroy();
      throw new FeastProblem('too large', `the answer has more than ${most} bytes`);
    }
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString();
  const { statusCode: status = 0 } = response;
  if (status !== 200) {
    throw new FeastProblem('status', `it answered with status ${status}`, {
      status,
      detail: printableValue(text.slice(0, DETAIL).replaceAll(/\s+/g, ' ')),
    });
  }
  try {
    return parseExact(text);
  } catch {
    throw new FeastProblem('invalid', 'the answer is not JSON');
  }
}
