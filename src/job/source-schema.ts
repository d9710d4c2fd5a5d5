import { z } from 'zod';
import { events } from './events-schema.ts';
import { anyText, byteSize, columnList, days, text } from './fields.ts';

export const source = z
  .strictObject({
    warehouse: text.describe(
      'URL of the source: duckdb:FILE, bigquery://PROJECT/DATASET?location=EU or snowflake://ACCOUNT/DATABASE/SCHEMA?warehouse=W&role=R',
    ),
    scratch: text.default('scratch').describe('schema, dataset or folder suffix for the frozen rows of a run'),
    query: anyText.optional().describe('text of the query; alternatively, query_file or events'),
    query_file: text.optional().describe('file with the query, relative to the project root'),
    events: events.optional().describe('events and their features, instead of a query; see docs/event-features.md'),
    ready: anyText.optional().describe('query that returns true once the source has all rows of the window'),
    key: columnList.min(1, 'name at least one key column').describe('columns that identify a row'),
    duplicates: z
      .enum(['quarantine', 'refuse'])
      .default('quarantine')
      .describe('if a key occurs more than once: quarantine all its rows, or refuse the window'),
    freeze: z
      .enum(['auto', 'always', 'never'])
      .default('auto')
      .describe(
        'whether to copy the rows of a DuckDB source before scoring; auto copies them if scoring takes a minute or more, since other processes cannot write to the file meanwhile',
      ),
    unload: z
      .boolean()
      .default(false)
      .describe(
        'whether Snowflake unloads frozen rows to Parquet files for the workers, instead of sending JSON rows; not measured on a real account',
      ),
    keep_rows: days
      .optional()
      .describe('how long the rows that a run read are kept in scratch, such as 35 days, so that --as-of can score them again'),
    max_bytes: byteSize.optional().describe('cost guard: maximum bytes that the query may read, such as 50GB'),
    usd_per_tib: z.number().min(0).default(6.25).describe('price in USD per TiB, for the cost that plan shows'),
  })
  .refine(({ query, query_file, events }) => [query, query_file, events].filter((one) => one !== undefined).length === 1, {
    message: 'give one of query, query_file and events',
    when: ({ value }) => typeof value === 'object' && value !== null,
  });
