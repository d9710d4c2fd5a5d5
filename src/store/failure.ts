import { type StoreAddress, showStoreAddress } from '../domain/store-address.ts';
import { type ErrorKind, ScoreBatchError, systemCode } from '../errors.ts';

/** Meaning of a store's answer, in terms common to both clouds. */
export type StoreFailure =
  | 'no bucket'
  | 'denied'
  | 'no credentials'
  | 'unavailable'
  | 'certificate'
  | 'bad request'
  | 'configuration';

const KINDS: Readonly<Record<StoreFailure, ErrorKind>> = {
  'no bucket': 'configuration',
  denied: 'permission',
  'no credentials': 'permission',
  unavailable: 'unavailable',
  certificate: 'configuration',
  'bad request': 'configuration',
  configuration: 'configuration',
};

const CREDENTIALS = {
  gs: 'set GOOGLE_APPLICATION_CREDENTIALS, run `gcloud auth application-default login`, or run on a machine with a service account',
  s3: 'set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run on a machine with a role',
} as const;

const RIGHTS = {
  gs: 'storage.objects.get, create, delete and list',
  s3: 's3:GetObject, s3:PutObject, s3:AbortMultipartUpload and s3:ListBucket',
} as const;

/**
 * The error for people, with the store's message on one line, never a request or its headers.
 *
 * @param said message of the store or its client
 */
export function storeError(address: StoreAddress, failure: StoreFailure, said: string, cause: unknown): ScoreBatchError {
  const { scheme, bucket } = address;
  const what = {
    'no bucket': `there is no bucket ${scheme}://${bucket}`,
    denied: `${scheme}://${bucket} does not allow this account to read and write ${address.key}`,
    'no credentials': `there are no usable credentials for ${scheme}://${bucket}`,
    unavailable: `${showStoreAddress(address)} cannot be reached`,
    certificate: `the certificate of the server for ${scheme}://${bucket} is not trusted`,
    'bad request': `${showStoreAddress(address)} cannot be used`,
    configuration: `${showStoreAddress(address)} cannot be used`,
  }[failure];
  const hint = {
    'no bucket': 'create it, or correct its name in the job file',
    denied: `the account needs ${RIGHTS[scheme]}`,
    'no credentials': CREDENTIALS[scheme],
    unavailable:
      'run the same command again once the store answers; to allow more time per request, set SCORE_BATCH_REQUEST_SECONDS',
    certificate: 'set NODE_EXTRA_CA_CERTS to the file of its certificate authority',
    'bad request': `check the endpoint and the region, and ${scheme === 's3' ? 'whether AWS_SESSION_TOKEN' : 'whether a token'} has expired; see docs/object-stores.md`,
    configuration: 'check the endpoint and the region; see docs/object-stores.md',
  }[failure];
  const line = said.split('\n', 1)[0]?.trim() ?? '';
  return new ScoreBatchError(KINDS[failure], line === '' ? what : `${what}: ${line}`, { hint, cause });
}

/** Whether TLS rejected a server's certificate. Clients put the reason into a chain of causes. */
export function isOfCertificate(error: unknown): boolean {
  for (let inner = error, depth = 0; inner instanceof Error && depth < 5; inner = inner.cause, depth += 1) {
    if (/CERT|ISSUER|UNABLE_TO_|HOSTNAME_MISMATCH/.test(systemCode(inner) ?? '')) return true;
  }
  return false;
}

/** The error for an answer that no object store would give. */
export function notAStore(address: StoreAddress): ScoreBatchError {
  return storeError(address, 'configuration', 'its answer is not that of a store', undefined);
}
