import { expect, it } from 'vitest';
import { ScoreBatchError } from '../../../src/errors.ts';
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

it('of a statement of ours it is a bug, without the value', () => {
  const bug = bigqueryError(new JobFailed('invalidQuery', 'Bad int64 value: jo@example.com', 'job_1'));
  expect(bug).not.toBeInstanceOf(ScoreBatchError);
  expect((bug as Error).stack).toMatch(/^JobFailed: Bad int64 value\n {4}at /);
});

it('what is wrong with a statement is said whole, before it runs', () => {
  const message = 'Unrecognized name: emial; Did you mean email? at [3:5]';
  const refused = Object.assign(new Error(message), { code: 400, errors: [{ reason: 'invalidQuery', message }] });
  expect(queryError(refused, 'jobs/query.sql')).toMatchObject({ details: [message] });
});
