import { z } from 'zod';
import { parseTableName } from '../domain/table-name.ts';
import { text } from './fields.ts';

const table = text.refine(
  (name) => parseTableName(name) !== undefined,
  'write a table as table or schema.table, with double quotes around unusual names',
);

/** The same names as for fields of a feature file. On Snowflake such a name is quoted in upper case. */
const column = text.regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'write the name of a column: letters, digits and _');

const attributes = z
  .strictObject({
    table: table.describe('table with the attributes of keys'),
    key: column.describe('column of that table with the key of events'),
    columns: z.array(column).min(1, 'name at least one column').describe('columns that the model uses'),
    version: column.optional().describe('column with the version of a row, if the table keeps all of them'),
    used: column.optional().describe('column of the events with the version that an event was scored with'),
    valid_from: column
      .optional()
      .describe('column with the epoch milliseconds from which a row is valid, if the table keeps all of them'),
  })
  .refine(({ version, used }) => (version === undefined) === (used === undefined), {
    message: 'version and used go together: one column of each table',
    when: ({ value }) => typeof value === 'object' && value !== null,
  })
  .refine(({ version, valid_from }) => version === undefined || valid_from === undefined, {
    message: 'give version and used, or valid_from, not both',
    when: ({ value }) => typeof value === 'object' && value !== null,
  });

/** Events and their features, in place of a query. */
export const events = z.strictObject({
  features: text.describe('feature file, relative to the project root'),
  table: table.describe('table with one row per event'),
  attributes: attributes.optional().describe('attributes of the keys'),
});

export type EventsDefinition = z.output<typeof events>;
