import type { StoreAddress } from '../domain/store-address.ts';
import { ScoreBatchError, systemCode } from '../errors.ts';
import { SilenceError } from '../warehouse/timeouts.ts';
import { isOfCertificate, type StoreFailure, storeError } from './failure.ts';

/** The HTTP status of a refusal, wherever the client puts it. */
export function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, status, response } = error as {
    code?: unknown;
    status?: unknown;
    response?: { status?: unknown; statusCode?: unknown };
  };
  return [code, status, response?.status, response?.statusCode]
    .map(Number)
    .find((number) => Number.isInteger(number) && number >= 100 && number < 600);
}

/** The error for people; unchanged if the store is not the cause. */
export function gcsError(address: StoreAddress, error: unknown): unknown {
  if (error instanceof ScoreBatchError || !isFailure(error)) return error;
  const failure = failureOf(error);
  if (failure === undefined) return error;
  // A parser quotes what it cannot read, which may be a key.
  const said = error instanceof SyntaxError ? 'what was read is not JSON' : error.message;
  return storeError(address, failure, said, error);
}

/** In chunked uploads, the client rejects with objects that are not errors. */
function isFailure(error: unknown): error is { readonly message: string } {
  return typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string';
}

function failureOf(error: { readonly message: string }): StoreFailure | undefined {
  if (isOfCertificate(error)) return 'certificate';
  const status = statusOf(error);
  const { message } = error;
  if (/could not load the default credentials|invalid_grant|invalid_client|invalid_rapt|unauthorized_client/i.test(message))
    return 'no credentials';
  if (status === 401) return 'no credentials';
  if (status === 403) return 'denied';
  if (status === 404) return 'no bucket';
  if (status !== undefined) return status >= 500 || status === 429 || status === 408 ? 'unavailable' : 'configuration';
  if (error instanceof SilenceError) return 'unavailable';
  if (error instanceof SyntaxError || /credentials|PEM|DECODER|private key/i.test(message)) return 'no credentials';
  const code = systemCode(error) ?? '';
  if (code === 'ENOENT') return 'no credentials';
  return /^(E[A-Z]+|ERR_(TLS|SSL)_\w+)$/.test(code) || /network|socket|timeout|premature close|fetch failed/i.test(message)
    ? 'unavailable'
    : undefined;
}
