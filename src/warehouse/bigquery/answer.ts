import { ForeignAnswer, foreignAnswer } from '../foreign-answer.ts';
import { retryAfter } from '../timeouts.ts';

/** What came back on a request, nothing of it believed. */
export interface RawAnswer {
  readonly address: string;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** BigQuery's own refusal of a request. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  /** HTTP status. */
  readonly code: number;
  readonly errors: readonly { readonly reason: string; readonly message: string }[];
  /** Milliseconds after which the server wants to be asked again. */
  readonly retryAfter: number;

  constructor(message: string, code: number, errors: Refusal['errors'], retryAfter: number) {
    super(message);
    this.code = code;
    this.errors = errors;
    this.retryAfter = retryAfter;
  }
}

/** An object of JSON whose members are unknown. */
export type Json = Readonly<Record<string, unknown>>;

/** What a caller makes of the body. @throws ForeignAnswer where it is of another shape */
export type Reading<T> = (body: Json) => T;

/**
 * The body of an answer that BigQuery gave.
 *
 * @returns an empty object where the answer has no content
 * @throws Refusal where BigQuery refuses
 * @throws ForeignAnswer where it is not BigQuery that answered; a 404 of a captive portal is no table that is missing
 */
export function decode({ address, status, headers, text }: RawAnswer): Json {
  const isDone = status >= 200 && status < 300;
  if (isDone && status === 204) return {};
  const body = parsed(text);
  const error = body?.error;
  if (isObject(error) && saysWhy(error)) throw refusal(error, status, retryAfter(headers.get('retry-after')));
  if (isDone && body !== undefined && error === undefined) return body;
  // Whoever answers so on the way to BigQuery or in front of it, it may pass.
  if (status >= 500 || status === 408 || status === 429) throw refusal({}, status, retryAfter(headers.get('retry-after')));
  throw foreignAnswer('BigQuery', { address, status, contentType: headers.get('content-type') });
}

/** @throws ForeignAnswer that says what was to be there */
export function demand(holds: boolean, what: string): asserts holds {
  if (!holds) throw new ForeignAnswer(`an answer has no ${what}, so it is not BigQuery's protocol`);
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** For members that may be left out. @throws ForeignAnswer where it is there and no text */
export function textOrNothing(value: unknown, what: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  demand(typeof value === 'string', what);
  return value;
}

function saysWhy({ message, errors }: Json): boolean {
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
