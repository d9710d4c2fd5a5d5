import { existsSync } from 'node:fs';
import path from 'node:path';
import { generateEvents, generateUsers } from '../users.ts';

// What to score: each scenario is a table and a query. All have equally many rows in the scored week.

export interface Scenario {
  /** A short description. */
  readonly what: string;
  /** Creates the table with this many rows to score. */
  readonly make: (warehouse: string, rows: number) => Promise<void>;
  /** Path of the job's query file, in `bench/`. */
  readonly query: string;
  /** Set if only some models accept its columns. */
  readonly models?: readonly string[];
}

export type ScenarioName = 'plain' | 'weeks' | 'filter' | 'aggregate' | 'text' | 'varchar';

const WEEKS = 52;
/** One part in this many passes the filter: 5 %. */
const PARTS = 20;
const EVENTS_PER_USER = 8;

/** Only `plain` has the raw rate and the peers that read Parquet. */
export const SCENARIOS: Readonly<Record<ScenarioName, Scenario>> = {
  plain: {
    what: 'a table that has nothing but the week',
    make: (warehouse, rows) => generateUsers(warehouse, rows),
    query: 'jobs/users.sql',
  },
  weeks: {
    what: `a table of ${WEEKS} weeks in no order, of which one is scored (2 %)`,
    make: (warehouse, rows) =>
      generateUsers(warehouse, rows * WEEKS, {
        signupDate: `date '2026-08-03' - cast(7 * (i % ${WEEKS}) as integer) + cast(hash(i) % 7 as integer)`,
      }),
    query: 'jobs/users.sql',
  },
  filter: {
    what: 'a table of which the query keeps 5 % in no order',
    make: (warehouse, rows) => generateUsers(warehouse, rows * PARTS, { more: { part: `cast(i % ${PARTS} as integer)` } }),
    query: 'jobs/filter.sql',
  },
  aggregate: {
    what: `${EVENTS_PER_USER} events of each user, which the query makes into numbers`,
    make: (warehouse, rows) => generateEvents(warehouse, rows, EVENTS_PER_USER),
    query: 'jobs/aggregate.sql',
  },
  text: {
    what: 'the table of plain; the model takes country and plan besides',
    make: (warehouse, rows) => generateUsers(warehouse, rows),
    query: 'jobs/users.sql',
    models: ['text'],
  },
  varchar: {
    what: 'the table of plain with a key of text, 17 characters in no order',
    make: (warehouse, rows) => generateUsers(warehouse, rows, { key: "printf('u%016x', hash(i))" }),
    query: 'jobs/users.sql',
  },
};

/**
 * The folder of a scenario's `users.duckdb`, which is created if missing and kept.
 *
 * @param base folder of all data
 */
export async function folderOf(
  base: string,
  scenario: ScenarioName,
  rows: number,
  say: (text: string) => void,
): Promise<string> {
  const folder = path.join(base, scenario === 'plain' ? String(rows) : `${scenario}-${rows}`);
  const warehouse = path.join(folder, 'users.duckdb');
  if (!existsSync(warehouse)) {
    say(`making the table of ${scenario} with ${rows} scored rows`);
    await SCENARIOS[scenario].make(warehouse, rows);
  }
  return folder;
}
