import { expect, it } from 'vitest';
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

it('of a statement of ours it is a bug, without the value', () => {
  const bug = snowflakeError(failed('100072', "NULL result in a non-nullable column 'jo'"), TARGET) as Error;
  expect(bug.stack).toMatch(/^Failure: NULL result in a non-nullable column '…'\n {4}at /);
});

it('what is wrong with a statement is said whole', () => {
  const message = "SQL compilation error: error line 1 at position 7\ninvalid identifier 'EMIAL'";
  expect(queryError(failed('000904', message), 'jobs/query.sql', TARGET)).toMatchObject({ details: [`${message} (000904)`] });
});
