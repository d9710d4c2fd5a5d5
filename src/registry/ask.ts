import type { z } from 'zod';
import { ScoreBatchError } from '../errors.ts';
import { type Answer, type Request, send } from './request.ts';
import type { TrackingServer } from './server.ts';

/** A refusal: an MLflow error code and its message. */
export interface Refused {
  readonly code: string;
  /** Printable and short. */
  readonly message: string;
}

/** Room for a listing of some 20,000 files. */
const MAX_JSON_BYTES = 4e6;
const MAX_MESSAGE = 300;

/**
 * Calls MLflow's REST API.
 *
 * @param schema of the answer; other properties are dropped
 * @throws ScoreBatchError as `send`, and `configuration` if the answer is not MLflow's
 */
export async function ask<T>(
  server: TrackingServer,
  request: Request,
  schema: z.ZodType<T>,
): Promise<{ readonly value: T; readonly refused?: undefined } | { readonly value?: undefined; readonly refused: Refused }> {
  const answer = await send(server, request);
  const text = await readText(server, answer);
  const { status } = answer;
  const json = parsed(text);
  if (status >= 400) {
    const { error_code: code, message } = (json ?? {}) as { error_code?: unknown; message?: unknown };
    if (typeof code !== 'string') throw notMlflow(server, `answers with ${status} but no MLflow error code`);
    return { refused: { code, message: shown(message) } };
  }
  const found = schema.safeParse(json);
  if (found.success) return { value: found.data };
  const what =
    json === undefined ? `answers with ${contentType(answer)} instead of JSON` : 'answers in a form that MLflow does not use';
  throw notMlflow(server, what);
}

/**
 * The value of a request that MLflow has no reason to refuse. @throws ScoreBatchError as `ask`, and `configuration` if it
 * refuses
 */
export async function askFor<T>(server: TrackingServer, request: Request, schema: z.ZodType<T>): Promise<T> {
  const { value, refused } = await ask(server, request, schema);
  if (refused === undefined) return value;
  throw refusal(server, refused);
}

export function refusal({ base }: TrackingServer, { code, message }: Refused): ScoreBatchError {
  const kind = code === 'PERMISSION_DENIED' || code === 'UNAUTHENTICATED' ? 'permission' : 'configuration';
  return new ScoreBatchError(kind, `the registry at ${base} refuses the request: ${code}`, {
    details: message === '' ? [] : [message],
  });
}

export function getting(path: string, query: Readonly<Record<string, string>> = {}): Request {
  const search = new URLSearchParams(query).toString();
  return { method: 'GET', path: search === '' ? path : `${path}?${search}`, repeatable: true };
}

export function posting(path: string, body: object, repeatable = false): Request {
  return { method: 'POST', path, body: JSON.stringify(body), repeatable };
}

/** Reads the whole body within the timeout of one answer. */
async function readText(server: TrackingServer, { body, end }: Answer): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of body) {
      bytes += part.length;
      if (bytes > MAX_JSON_BYTES) throw notMlflow(server, `answers with more than ${MAX_JSON_BYTES / 1e6} MB of JSON`);
      parts.push(part);
    }
  } finally {
    end();
  }
  return Buffer.concat(parts).toString('utf8');
}

/** The answer to an upload is empty. */
function parsed(text: string): unknown {
  if (text === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function contentType({ headers }: Answer): string {
  return /^[\w.+-]+\/[\w.+-]+/.exec(headers['content-type'] ?? '')?.[0] ?? 'something else';
}

function notMlflow({ base }: TrackingServer, what: string): ScoreBatchError {
  return new ScoreBatchError('configuration', `the registry at ${base} ${what}`, {
    hint: 'check that MLFLOW_TRACKING_URI is the address of an MLflow tracking server, not of a proxy or a login page',
  });
}

function shown(message: unknown): string {
  const text = typeof message === 'string' ? message : '';
  return text
    .replaceAll(/[\p{C}\s]+/gu, ' ')
    .trim()
    .slice(0, MAX_MESSAGE);
}
