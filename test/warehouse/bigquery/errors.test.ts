import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ScoreBatchError } from '../../../src/errors.ts';
import { Refusal } from '../../../src/warehouse/bigquery/answer.ts';
import { bigqueryError, queryError } from '../../../src/warehouse/bigquery/errors.ts';
import { JobFailed } from '../../../src/warehouse/bigquery/failure.ts';

// Texts as BigQuery gives them; unproven there.

it.each([
  ['Bad int64 value: jo@example.com', 'Bad int64 value'],
  ["Query error: Invalid timestamp: 'jo' at [3:5]", 'Invalid timestamp at [3:5]'],
  ['Could not cast literal "jo" to type INT64 at [1:8]', 'Could not cast literal "…" to type INT64 at [1:8]'],
  ['Division by zero: 4815162342 / 0', 'Division by zero'],
])('of a job that failed while it ran: %s', (message, shown) => {
  const error = queryError(new JobFailed('invalidQuery', message, 'job_1'), 'jobs/query.sql');
  expect(error).toMatchObject({ kind: 'configuration', details: [`${shown} (job job_1)`] });
});

it('of a statement of ours that is rejected says what was being done, without the value', () => {
  const failed = new JobFailed('invalidQuery', 'Bad int64 value: jo@example.com', 'job_1');
  expect(bigqueryError(failed, 'publishing the scores')).toMatchObject({
    kind: 'configuration',
    message: 'BigQuery rejects a statement while publishing the scores',
    details: ['Bad int64 value (job job_1) (invalidQuery)'],
    hint: expect.stringContaining('dropped or altered'),
  });
});

it.each([
  ['badRequest', 400, 'configuration'],
  ['notImplemented', 501, 'configuration'],
  ['resourceInUse', 400, 'unavailable'],
  ['tableUnavailable', 400, 'unavailable'],
  ['blocked', 403, 'unavailable'],
  ['insufficientPermissions', 403, 'permission'],
  ['duplicate', 409, 'conflict'],
  ['conditionNotMet', 412, 'conflict'],
  ['billingTierLimitExceeded', 400, 'refused'],
  ['a reason of tomorrow', 400, 'configuration'],
  ['a reason of tomorrow', 403, 'permission'],
  ['a reason of tomorrow', 500, 'unavailable'],
  ['constructor', 404, 'configuration'],
])('%s with HTTP %i is %s', (reason, status, kind) => {
  const refusal = new Refusal('what BigQuery says', status, [{ reason, message: 'what BigQuery says' }], 0);
  expect(bigqueryError(refusal, 'reading the ledger')).toMatchObject({ kind, hint: expect.any(String) });
});

it('whatever a server or a job says has a kind', () => {
  const text = fc.oneof(fc.string(), fc.constantFrom('', '__proto__', 'toString', 'accessDenied', 'invalidQuery'));
  const errors = fc.oneof(
    fc.record({ reason: text, message: text }).map(({ reason, message }) => new JobFailed(reason, message, 'job_1')),
    fc
      .record({ status: fc.integer({ min: 300, max: 599 }), reason: text, message: text })
      .map(({ status, reason, message }) => new Refusal(message, status, [{ reason, message }], 0)),
    fc
      .record({ code: fc.integer({ min: 1, max: 20 }), message: text })
      .map(({ code, message }) => Object.assign(new Error(message), { code, details: message })),
  );
  fc.assert(
    fc.property(errors, (error) => {
      expect(bigqueryError(error, 'publishing the scores')).toBeInstanceOf(ScoreBatchError);
      expect(queryError(error, 'jobs/query.sql')).toBeInstanceOf(ScoreBatchError);
    }),
  );
});

it('a mistake of ours stays a bug', () => {
  const bug = new TypeError('x is undefined');
  expect(bigqueryError(bug, 'publishing the scores')).toBe(bug);
});

it('what is wrong with a statement is said whole, before it runs', () => {
  const message = 'Unrecognized name: emial; Did you mean email? at [3:5]';
  const refused = Object.assign(new Error(message), { code: 400, errors: [{ reason: 'invalidQuery', message }] });
  expect(queryError(refused, 'jobs/query.sql')).toMatchObject({ details: [message] });
});
