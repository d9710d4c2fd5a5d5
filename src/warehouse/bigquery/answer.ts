import { ForeignAnswer, foreignAnswer } from '../foreign-answer.ts';
import { retryAfter } from '../timeouts.ts';

/** The unvalidated answer to a request. */
export interface RawAnswer {
  readonly address: string;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** BigQuery refused a request. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  /** HTTP status. */
  readonly code: number;
  readonly errors: readonly { readonly reason: string; readonly message: string }[];
  /** Delay the server asks for before a retry, milliseconds. */
  readonly retryAfter: number;

  constructor(message: string, code: number, errors: Refusal['errors'], retryAfter: number) {
    super(message);
    this.code = code;
    this.errors = errors;
    this.retryAfter = retryAfter;
  }
}

/** A JSON object with unknown members. */
export type Json = Readonly<Record<string, unknown>>;

/** Parses the body for a caller. @throws ForeignAnswer if it has another shape */
export type Reading<T> = (body: Json) => T;

/**
 * The body of an answer from BigQuery.
 *
 * @returns an empty object if the answer has no content
 * @throws Refusal if BigQuery refused the request
 * @throws ForeignAnswer if the answer is not BigQuery's: a captive portal's 404 does not mean that a table is missing
 */
export function decode({ address, status, headers, text }: RawAnswer): Json {
  const isDone = status >= 200 && status < 300;
  if (isDone && status === 204) return {};
  const body = parsed(text);
  const error = body?.error;
  if (isObject(error) && hasReason(error)) throw refusal(error, status, retryAfter(headers.get('retry-after')));
  if (isDone && body !== undefined && error === undefined) return body;
  // Whichever server or proxy sends these, they can be transient.
  if (status >= 500 || status === 408 || status === 429) throw refusal({}, status, retryAfter(headers.get('retry-after')));
  throw foreignAnswer('BigQuery', { address, status, contentType: headers.get('content-type') });
}

/** @throws ForeignAnswer that names what is missing */
export function demand(holds: boolean, what: string): asserts holds {
  if (!holds) throw new ForeignAnswer(`an answer has no ${what}, so it did not come from BigQuery`);
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** For optional members. @throws ForeignAnswer if it is present but not text */
export function textOrNothing(value: unknown, what: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  demand(typeof value === 'string', what);
  return value;
}

function hasReason({ message, errors }: Json): boolean {
  return (
    textOf(message) !== '' || (Array.isArray(errors) && errors.some((each) => isObject(each) && textOf(each.reason) !== ''))
  );
}

function parsed(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** https://cloud.google.com/bigquery/docs/error-messages: `{error: {code, message, errors: [{reason, message}], status}}` */
function refusal(error: Json, status: number, after: number): Refusal {
  const listed = Array.isArray(error.errors) ? error.errors.filter(isObject) : [];
  const errors = listed.map(({ reason, message }) => ({ reason: textOf(reason), message: textOf(message) }));
  const message = textOf(error.message) || errors[0]?.message || `HTTP ${status}`;
  const code = status >= 400 || typeof error.code !== 'number' ? status : error.code;
  return new Refusal(message, code, errors, after);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
