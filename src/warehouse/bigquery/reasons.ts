import type { ErrorKind } from '../../errors.ts';

/**
 * Reasons of BigQuery (https://cloud.google.com/bigquery/docs/error-messages) and of Google's APIs in general, as error
 * kinds.
 */
const REASONS: Readonly<Record<string, ErrorKind>> = {
  accessDenied: 'permission',
  authError: 'permission',
  expired: 'permission',
  forbidden: 'permission',
  insufficientPermissions: 'permission',
  invalidUser: 'permission',
  required: 'permission',
  accessNotConfigured: 'configuration',
  attributeError: 'configuration',
  badRequest: 'configuration',
  billingNotEnabled: 'configuration',
  invalid: 'configuration',
  invalidParameter: 'configuration',
  invalidQuery: 'configuration',
  notFound: 'configuration',
  notImplemented: 'configuration',
  parseError: 'configuration',
  responseTooLarge: 'configuration',
  billingTierLimitExceeded: 'refused',
  bytesBilledLimitExceeded: 'refused',
  conditionNotMet: 'conflict',
  duplicate: 'conflict',
  backendError: 'unavailable',
  blocked: 'unavailable',
  dailyLimitExceeded: 'unavailable',
  internalError: 'unavailable',
  jobBackendError: 'unavailable',
  jobInternalError: 'unavailable',
  jobRateLimitExceeded: 'unavailable',
  limitExceeded: 'unavailable',
  proxyAuthenticationRequired: 'unavailable',
  quotaExceeded: 'unavailable',
  rateLimitExceeded: 'unavailable',
  resourceInUse: 'unavailable',
  resourcesExceeded: 'unavailable',
  stopped: 'unavailable',
  tableUnavailable: 'unavailable',
  timeout: 'unavailable',
  userRateLimitExceeded: 'unavailable',
};

/**
 * The error kind of BigQuery's answer. An unknown reason is classified by the HTTP status. Without a status, as for a job
 * that failed with an unknown reason, it counts as transient.
 */
export function kindOf(reasons: readonly string[], status: number | string | undefined): ErrorKind {
  const known = reasons.find((reason) => Object.hasOwn(REASONS, reason));
  return (known !== undefined && REASONS[known]) || kindOfStatus(status);
}

function kindOfStatus(status: number | string | undefined): ErrorKind {
  if (typeof status !== 'number' || status < 400 || status >= 500) return 'unavailable';
  if (status === 401 || status === 403) return 'permission';
  if (status === 409 || status === 412) return 'conflict';
  return status === 407 || status === 408 || status === 429 ? 'unavailable' : 'configuration';
}
