import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ScoreBatchError } from '../../../src/errors.ts';
import { kindOf } from '../../../src/warehouse/snowflake/codes.ts';
import { queryError, snowflakeError } from '../../../src/warehouse/snowflake/errors.ts';
import { Failure } from '../../../src/warehouse/snowflake/failure.ts';
import { parseTarget } from '../../../src/warehouse/snowflake/target.ts';

// Texts as Snowflake gives them; unproven there.

const TARGET = parseTarget('snowflake://acct/shop/public');
const failed = (code: string, message: string) => new Failure(message, { code, broken: false });

it.each([
  ['100038', "Numeric value 'jo@example.com' is not recognized", "Numeric value '…' is not recognized (100038)"],
  ['100040', "Date 'jo's' is not recognized", "Date '…' is not recognized (100040)"],
  [
    '100090',
    'Duplicate row detected during DML action\nRow Values: ["jo", 1]',
    'Duplicate row detected during DML action (100090)',
  ],
  ['100051', 'Division by zero', 'Division by zero (100051)'],
])('of a statement that failed while it ran: %s', (code, message, shown) => {
  expect(queryError(failed(code, message), 'jobs/query.sql', TARGET)).toMatchObject({
    kind: 'configuration',
    details: [shown],
  });
});

it('of a statement of ours that is rejected says what was being done, without the value', () => {
  const error = failed('100078', "String 'jo' is too long and would be truncated");
  expect(snowflakeError(error, TARGET, 'counting the staged rows')).toMatchObject({
    kind: 'configuration',
    message: 'Snowflake account acct rejects a statement while counting the staged rows',
    details: ["String '…' is too long and would be truncated (100078)"],
    hint: expect.stringContaining('dropped or altered'),
  });
});

it.each([
  ['000904', '42000', 'configuration'],
  ['001003', '42000', 'configuration'],
  ['002003', '02000', 'configuration'],
  ['003001', '42501', 'permission'],
  ['003540', '42000', 'configuration'],
  ['090105', '22000', 'configuration'],
  ['100078', '22000', 'configuration'],
  ['300002', 'XX000', 'unavailable'],
  ['300005', undefined, 'unavailable'],
  ['000605', '57014', 'unavailable'],
  ['000625', '57014', 'conflict'],
  ['000904', undefined, 'configuration'],
  ['090105', undefined, 'configuration'],
  ['100078', undefined, 'configuration'],
  ['390144', '08001', 'permission'],
  ['401001', undefined, 'unavailable'],
  ['404007', undefined, 'configuration'],
  ['987654', '42601', 'configuration'],
  ['987654', '28000', 'permission'],
  ['987654', '40001', 'conflict'],
  ['987654', '08006', 'unavailable'],
  ['987654', undefined, 'unavailable'],
])('code %s with SQLSTATE %s is %s', (code, sqlState, kind) => {
  expect(kindOf(code, sqlState)).toBe(kind);
});

it('whatever Snowflake says has a kind, of a statement of ours and of the query', () => {
  const code = fc.oneof(
    fc.integer({ min: 0, max: 999_999 }).map((number) => String(number).padStart(6, '0')),
    fc.string(),
  );
  fc.assert(
    fc.property(code, fc.option(fc.string({ maxLength: 5 }), { nil: undefined }), fc.string(), (number, sqlState, message) => {
      const error = new Failure(message, { code: number, broken: false, ...(sqlState !== undefined && { sqlState }) });
      for (const told of [
        snowflakeError(error, TARGET, 'publishing the scores'),
        queryError(error, 'jobs/query.sql', TARGET),
      ]) {
        expect(told).toBeInstanceOf(ScoreBatchError);
        expect((told as ScoreBatchError).details.join()).toContain(`(${number})`);
      }
    }),
  );
});

it('a mistake of ours stays a bug', () => {
  const bug = new TypeError('x is undefined');
  expect(snowflakeError(bug, TARGET, 'publishing the scores')).toBe(bug);
});

it('what is wrong with a statement is said whole', () => {
  const message = "SQL compilation error: error line 1 at position 7\ninvalid identifier 'EMIAL'";
  expect(queryError(failed('000904', message), 'jobs/query.sql', TARGET)).toMatchObject({ details: [`${message} (000904)`] });
});
