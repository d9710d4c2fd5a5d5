import type { DeskRoute } from './desk-effects.ts';
import { type Effect, inside, sent } from './effects.ts';

// The durable effects of publishing a slice that a run does not have, by a name; see `EFFECTS`. No process is killed at them yet:
// that takes a scenario (desk-scenarios.ts) with the command of a slice, over a project with the section `incremental`. Its lists
// in `DESK_EFFECTS` are these, and those of a run. test/warehouse/sql/current.test.ts holds them against the statements.

const STEPS = (file: 'duckdb' | 'http POST \\S+', [current, quarantine, boundary]: readonly [string, string, string]) => {
  const statement = (name: string, text: string) => inside(name, new RegExp(`^${file} ${text}`));
  return [
    statement('slice: rejected rows deleted', `DELETE FROM \\S+${quarantine} `),
    statement('slice: rejected rows', `INSERT INTO \\S+${quarantine} `),
    statement('slice: users', `INSERT INTO \\S+${current} .* LEFT JOIN `),
    statement('slice: users deleted', `INSERT INTO \\S+${current} (?!.* LEFT JOIN )`),
    statement('slice: replaced rows', `DELETE FROM \\S+${current} `),
    statement('slice: copy of then deleted', `DELETE FROM \\S+${boundary} `),
    statement('slice: copy', `INSERT INTO \\S+${boundary} `),
  ];
};

/** For a current table `current`, with the end of a window. */
export const SLICE_EFFECTS: Readonly<Record<DeskRoute, readonly Effect[]>> = {
  duckdb: STEPS('duckdb', ['"current"', '"current_quarantine"', '"current_boundary"']),
  snowflake: STEPS('http POST \\S+', ['"CURRENT"', '"CURRENT_QUARANTINE"', '"CURRENT_BOUNDARY"']),
  bigquery: [
    sent('slice: table of keys that are gone', /^http POST \S+\/jobs CREATE TABLE \S+`score_batch_gone_/),
    sent('slice: keys that are gone', /^http POST \S+\/jobs INSERT INTO \S+`score_batch_gone_/),
    // One script changes the current table and publishes.
    sent('slice: transaction', /^http POST \S+\/jobs BEGIN TRANSACTION; .*`current`.*'published'/),
    sent('slice: keys dropped', /^http DELETE \S+\/score_batch_gone_/),
  ],
};
