import type { StoreAddress } from '../domain/store-address.ts';
import { ScoreBatchError, systemCode } from '../errors.ts';
import { isOfCertificate, type StoreFailure, storeError } from './failure.ts';

/** Codes of https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html and names of the client's own errors. */
const BY_NAME: Readonly<Record<string, StoreFailure>> = {
  NoSuchBucket: 'no bucket',
  AccessDenied: 'denied',
  AllAccessDisabled: 'denied',
  AccountProblem: 'denied',
  CredentialsProviderError: 'no credentials',
  TokenProviderError: 'no credentials',
  ExpiredToken: 'no credentials',
  ExpiredTokenException: 'no credentials',
  InvalidAccessKeyId: 'no credentials',
  InvalidToken: 'no credentials',
  SignatureDoesNotMatch: 'no credentials',
  TimeoutError: 'unavailable',
  RequestTimeout: 'unavailable',
  SlowDown: 'unavailable',
};

/** Whether a precondition failed: the object is another one, is gone, or is being written. */
export function isChanged(error: unknown): boolean {
  const { name, status } = partsOf(error);
  // A multipart upload whose answer was lost has ended.
  return status === 412 || status === 409 || name === 'NoSuchKey' || name === 'NoSuchUpload';
}

/** Whether an answer without a body means that there is no object. */
export function isMissing(error: unknown): boolean {
  const { name, status } = partsOf(error);
  return status === 404 && name !== 'NoSuchBucket';
}

/** The error for people; unchanged if the store is not the cause. */
export function s3Error(address: StoreAddress, error: unknown): unknown {
  if (error instanceof ScoreBatchError || !(error instanceof Error)) return error;
  const failure = failureOf(error);
  if (failure === undefined) return error;
  const { name, status } = partsOf(error);
  // The answer to a HEAD has no message.
  const wordless = error.message === '' || error.message === 'UnknownError' || name === 'Unknown';
  const said = wordless && status !== undefined ? `it answers with status ${status}` : said_(error, status);
  // It may hide an expired token, among other reasons.
  return storeError(address, wordless && status === 400 ? 'bad request' : failure, said, error);
}

function said_(error: Error, status: number | undefined): string {
  // Do not show what a parser quotes.
  return error instanceof SyntaxError ? `its answer (status ${status ?? 'unknown'}) is not that of a store` : error.message;
}

function failureOf(error: Error): StoreFailure | undefined {
  if (isOfCertificate(error)) return 'certificate';
  const { name, status } = partsOf(error);
  const named = BY_NAME[name];
  if (named !== undefined) return named;
  if (status === 401 || status === 403) return 'denied';
  if (status !== undefined) return status >= 500 || status === 429 || status === 408 ? 'unavailable' : 'configuration';
  if (/^region is missing/i.test(error.message)) return 'configuration';
  // Network errors: ECONNREFUSED, ENOTFOUND, EPIPE and others, some in a chain of causes.
  const code = systemCode(error) ?? '';
  return /^(E[A-Z]+|ERR_(TLS|SSL)_\w+)$/.test(code) ? 'unavailable' : undefined;
}

function partsOf(error: unknown): { readonly name: string; readonly status: number | undefined } {
  if (!(error instanceof Error)) return { name: '', status: undefined };
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number } };
  return { name: error.name, status: $metadata?.httpStatusCode };
}
