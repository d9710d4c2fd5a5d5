import type { DeskRoute } from './desk-effects.ts';
import { EFFECTS, type Effect, file, inside, sent } from './effects.ts';
import type { SliceScenario } from './slice-scenarios.ts';

// Every durable effect of the command of a slice by a name; see `EFFECTS`. test/warehouse/sql/current.test.ts holds those of
// `SLICE_EFFECTS` against the statements, in every warehouse. Processes are killed within DuckDB alone; elsewhere the
// effects are named and nothing is killed, for a run there takes a minute.

const STEPS = (channel: 'duckdb' | 'http POST \\S+', [current, quarantine, boundary]: readonly [string, string, string]) => {
  const statement = (name: string, text: string) => inside(name, new RegExp(`^${channel} ${text}`));
  return [
    statement('slice: rejected rows', `INSERT INTO \\S+${quarantine} `),
    statement('slice: users', `INSERT INTO \\S+${current} .* LEFT JOIN `),
    statement('slice: users deleted', `INSERT INTO \\S+${current} (?!.* LEFT JOIN )`),
    statement('slice: replaced rows', `DELETE FROM \\S+${current} `),
    statement('slice: rejected rows deleted', `DELETE FROM \\S+${quarantine} `),
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

/** What a slice has elsewhere beside the effects of a run, whose names hold where none of these does. */
export const ELSEWHERE: Readonly<Record<Exclude<DeskRoute, 'duckdb'>, readonly Effect[]>> = {
  bigquery: [
    sent('earlier scores', /^duckdb COPY \(SELECT .* FROM earlier\) TO /),
    sent('slice: table', /^http POST \S+\/datasets\/marketing\/tables .*"current(_quarantine|_boundary)?"/),
    // The others are of many keys that are gone.
    ...SLICE_EFFECTS.bigquery.filter(({ name }) => name === 'slice: transaction'),
  ],
  snowflake: [
    sent('earlier scores', /^duckdb COPY \(SELECT .* FROM earlier\) TO /),
    sent('slice: table', /^http POST \S+ CREATE TABLE IF NOT EXISTS \S+"CURRENT(_QUARANTINE|_BOUNDARY)?" /),
    ...SLICE_EFFECTS.snowflake,
  ],
};

/** What a slice has in a file of DuckDB and a run has not. */
const OWN: readonly Effect[] = [
  file('keys: spill folder removed', /^remove .*\.scratch\/[^/]+\.keys\/spill-\w+$/, 'any'),
  sent('keys: rows', /^duckdb COPY \(SELECT "user_id" AS c0 FROM /),
  sent('earlier scores', /^duckdb COPY \(SELECT .* AS key_hash, .*\/earlier-\w+\.parquet'/),
  inside('slice: table', /^duckdb CREATE TABLE \S+ \S+ \S+ \S+"current(_quarantine|_boundary)?" /),
  ...SLICE_EFFECTS.duckdb,
  sent('shadow: view', /^duckdb CREATE VIEW /),
  sent('shadow: compared', /^duckdb INSERT INTO \S+"score_batch_ledger" .*'compared'/),
];

/** In which of its occurrences a process is killed in an effect, by its name; in none where another scenario has the same one. */
type Places = Readonly<Record<string, readonly number[]>>;

/** Effects between which nothing of a slice's own happens. */
const NAMED: Places = {
  ...{ 'spill folder: removed': [], 'database: folder': [], 'tables: schema': [], 'ledger: table': [], 'scratch: run': [] },
  ...{
    'database: checkpoint': [],
    'scratch: mark': [],
    'scratch: mark in place': [],
    'scratch: folder': [],
    'stage: sync': [],
  },
  ...{ 'freeze: folder': [], 'freeze: repeated keys': [], 'freeze: manifest': [], 'slice: table': [] },
};

const PUBLISHED: Places = {
  ...{ 'publish: ledger': [1], 'publish: commit': [1], 'ledger: completed': [1] },
  ...{ 'drop frozen, discard': [1], 'drop frozen: files': [1] },
};

const PLACES: Readonly<Record<SliceScenario, Places>> = {
  snapshot: {
    ...NAMED,
    ...{ 'tables: schema': [1], 'ledger: table': [1], 'ledger: started': [1], 'database: checkpoint': [1, 2, 3] },
    ...{ 'scratch: run': [1], 'scratch: mark in place': [1], 'freeze: rows': [1], 'freeze: complete': [1] },
    ...{ 'scored file': [1], 'stage: chunk': [1, 3], 'slice: table': [1, 2] },
    ...{ 'slice: rejected rows deleted': [], 'slice: rejected rows': [1], 'slice: users': [1] },
    ...{ 'slice: users deleted': [1], 'slice: replaced rows': [1] },
    ...PUBLISHED,
  },
  changes: {
    ...NAMED,
    ...{
      'keys: spill folder removed': [],
      'ledger: started': [1],
      'scratch: run': [1, 2],
      'scratch: mark in place': [1],
      'keys: rows': [1],
    },
    // The keys first, then their rows.
    ...{ 'freeze: folder': [1], 'freeze: repeated keys': [1], 'freeze: manifest': [1], 'freeze: complete': [1, 2] },
    ...{ 'freeze: rows': [1], 'earlier scores': [1], 'scored file': [1], 'stage: chunk': [1, 2] },
    ...{ 'slice: rejected rows deleted': [1], 'slice: rejected rows': [1], 'slice: users': [1] },
    ...{ 'slice: users deleted': [1], 'slice: replaced rows': [1] },
    ...PUBLISHED,
    // Rows and what is staged, then the keys.
    ...{ 'drop frozen, discard': [1, 3], 'drop frozen: files': [1, 2] },
  },
  'full pass at a boundary': {
    ...NAMED,
    // Of the pass, then of the slice that follows it.
    ...{
      'keys: spill folder removed': [],
      'ledger: started': [1, 2],
      'freeze: rows': [1, 2],
      'freeze: complete': [1, 2],
      'keys: rows': [1],
    },
    ...{ 'earlier scores': [1], 'scored file': [], 'stage: chunk': [1, 4] },
    ...{ 'slice: rejected rows deleted': [], 'slice: rejected rows': [], 'slice: users': [1], 'slice: users deleted': [1] },
    ...{ 'slice: replaced rows': [1, 2], 'slice: copy of then deleted': [1], 'slice: copy': [1] },
    ...PUBLISHED,
    ...{ 'publish: commit': [1, 2], 'ledger: completed': [1, 2], 'drop frozen, discard': [1, 3], 'drop frozen: files': [1] },
  },
  'comparison with the batch': {
    ...NAMED,
    ...{
      'keys: spill folder removed': [],
      'ledger: started': [],
      'freeze: rows': [],
      'freeze: complete': [],
      'keys: rows': [],
      'earlier scores': [],
    },
    ...{ 'scored file': [], 'stage: chunk': [], 'slice: rejected rows deleted': [], 'slice: rejected rows': [] },
    ...{ 'slice: users': [], 'slice: users deleted': [], 'slice: replaced rows': [], 'slice: copy': [] },
    ...{ 'publish: ledger': [], 'publish: commit': [], 'ledger: completed': [2] },
    ...{ 'drop frozen, discard': [], 'drop frozen: files': [] },
    // That which the pass replaces, then that which is compared.
    ...{ 'shadow: view': [1], 'shadow: compared': [1], 'slice: copy of then deleted': [2] },
  },
};

/** The effects of a command within DuckDB. @throws Error if there is no such effect */
export function sliceEffects(scenario: SliceScenario): Effect[] {
  return Object.entries(PLACES[scenario]).map(([name, occurrences]) => {
    const effect = [...OWN, ...EFFECTS.duckdb].find((other) => other.name === name);
    if (effect === undefined) throw new Error(`there is no effect ${name}`);
    return { ...effect, times: 'any', occurrences };
  });
}
