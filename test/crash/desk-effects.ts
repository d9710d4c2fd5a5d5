import type { ScenarioName } from './desk-scenarios.ts';
import { EFFECTS, type Effect, file, inside, type Phase, type Route, sent } from './effects.ts';

// Every durable effect of the commands after a first run that a run does not have, by a name, as `EFFECTS` has those of a run,
// and those of a run in which it is worth killing such a command, too. An effect that no name matches, neither here nor in
// `EFFECTS`, or a name here that matches none or another number, fails a test. The last of a list is the one after which the
// command has nothing left to do.

/** The routes on which the commands are killed; how rows came into staging is all that tells `tapped` from `duckdb`. */
export type DeskRoute = Exclude<Route, 'tapped'>;

/** An effect of a run, by its name in `EFFECTS`. */
function ofRun(route: Route, name: string, { phases, occurrences = [1] }: Partial<Effect> = {}): Effect {
  const effect = EFFECTS[route].find((other) => other.name === name);
  if (effect === undefined) throw new Error(`there is no effect ${name} of ${route}`);
  return { ...effect, times: 'any', phases: phases ?? effect.phases, occurrences };
}

/** Effects between which nothing is lost: what comes before and after them is killed in. */
function passed(name: string, pattern: RegExp): Effect {
  return { name, pattern, times: 'any', phases: [], occurrences: [] };
}

/** A step that starts again if it has not ended. */
function step(name: string, pattern: RegExp, phases: readonly Phase[] = ['before', 'after']): Effect {
  return { name, pattern, times: 1, phases, occurrences: [1] };
}

/** Scores, quarantine, report and summary. */
const TABLES = 4;

/** Report, page and index: between the first and the others, and when all are there. */
const RENAMED = { occurrences: [1, 5] };
/** After it, the same command publishes once more. */
const NOT_AFTER = { phases: ['before'] } as const;

/** What `erase` does about the files: on every route in the same way. */
function reportAgain(route: Route): Effect[] {
  return [ofRun(route, 'report: rename', RENAMED)];
}

/** The steps of a promotion that no warehouse has to do with. */
const JOB_FILE = [
  step('promote: job file written', /^open .*\/jobs\/\.job\.yaml\.\w+\.partial$/, ['after']),
  step('promote: job file filled', /^fill .*\/jobs\/\.job\.yaml\./, ['after']),
  step('promote: job file synced', /^sync .*\/jobs\/\.job\.yaml\./, ['after']),
  step('promote: job file', /^rename .*\/jobs\/\.job\.yaml\.\w+\.partial to /, ['after']),
  passed('promote: folder of the job file', /^(mkdir|sync) .*\/jobs$/),
];
const LINK = [step('promote: link', /^rename .*\/models\/current\.\w+\.partial to /)];

const duckdb = {
  keeps: [
    inside('history: kept table', /^duckdb CREATE TABLE \S+ \S+ \S+ \S+"\w+_replaced" /, TABLES),
    inside('history: rows kept', /^duckdb INSERT INTO \S+"\w+_replaced" /, TABLES),
  ],
  trims: inside('history: trimmed', /^duckdb DELETE FROM \S+"\w+_replaced" .* replaced_publication NOT IN /, TABLES),
  published: [
    ofRun('duckdb', 'publish: ledger'),
    ofRun('duckdb', 'publish: commit'),
    ofRun('duckdb', 'report: rename', RENAMED),
  ],
  promoting: sent('promote: promoting', /^duckdb INSERT INTO \S+"score_batch_ledger" .*'promoting'/),
  promoted: sent('promote: promoted', /^duckdb INSERT INTO \S+"score_batch_ledger" .*'promoted'/),
};

const bigquery = {
  keptTables: sent('history: kept table', /^http POST \S+\/datasets\/marketing\/tables .*"\w+_replaced"/, TABLES),
  // One script keeps, replaces, trims and publishes.
  published: [
    sent('history: transaction', /^http POST \S+\/jobs BEGIN TRANSACTION; .*_replaced\b.*'published'/),
    ofRun('bigquery', 'report: rename', RENAMED),
  ],
  promoting: sent('promote: promoting', /^http POST \S+\/jobs BEGIN TRANSACTION; .*'promoting'/),
  promoted: sent('promote: promoted', /^http POST \S+\/jobs BEGIN TRANSACTION; .*'promoted'/),
};

const snowflake = {
  keptTables: sent('history: kept table', /^http POST \S+ CREATE TABLE IF NOT EXISTS \S+"\w+_REPLACED" /, TABLES),
  keeps: inside('history: rows kept', /^http POST \S+ INSERT INTO \S+"\w+_REPLACED" /, TABLES),
  trims: inside('history: trimmed', /^http POST \S+ DELETE FROM \S+"\w+_REPLACED" .* replaced_publication NOT IN /, TABLES),
  promoting: inside('promote: promoting', /^http POST \S+ INSERT INTO \S+"SCORE_BATCH_LEDGER" .*'promoting'/),
  promoted: inside('promote: promoted', /^http POST \S+ INSERT INTO \S+"SCORE_BATCH_LEDGER" .*'promoted'/),
  commits: (...occurrences: number[]) => ofRun('snowflake', 'commit', { occurrences }),
};

export const DESK_EFFECTS: Readonly<Record<ScenarioName, Readonly<Record<DeskRoute, readonly Effect[]>>>> = {
  history: {
    bigquery: [bigquery.keptTables, ...bigquery.published, ofRun('bigquery', 'ledger: completed', NOT_AFTER)],
    snowflake: [
      ...[snowflake.keptTables, snowflake.keeps, snowflake.trims, ofRun('snowflake', 'publish: ledger')],
      ...[ofRun('snowflake', 'report: rename', RENAMED), ofRun('snowflake', 'ledger: completed', NOT_AFTER)],
      snowflake.commits(2),
    ],
    duckdb: [...duckdb.keeps, duckdb.trims, ...duckdb.published, ofRun('duckdb', 'ledger: completed', NOT_AFTER)],
  },
  rollback: {
    bigquery: [...bigquery.published, ofRun('bigquery', 'ledger: completed')],
    snowflake: [
      snowflake.keeps,
      inside('rollback: rows restored', /^http POST \S+ INSERT INTO \S+"(SCORES|SCORES_QUARANTINE|REPORT|SUMMARY)" /, TABLES),
      inside(
        'rollback: not kept any more',
        /^http POST \S+ DELETE FROM \S+"\w+_REPLACED" .* replaced_publication = \d+/,
        TABLES,
      ),
      ...[snowflake.trims, ofRun('snowflake', 'publish: ledger'), ofRun('snowflake', 'report: rename', RENAMED)],
      ...[ofRun('snowflake', 'ledger: completed'), snowflake.commits(1, 2)],
    ],
    duckdb: [
      ...duckdb.keeps,
      inside('rollback: rows restored', /^duckdb INSERT INTO \S+"(scores|scores_quarantine|report|summary)" /, TABLES),
      inside('rollback: not kept any more', /^duckdb DELETE FROM \S+"\w+_replaced" .* replaced_publication = \d+/, TABLES),
      duckdb.trims,
      ...duckdb.published,
      ofRun('duckdb', 'ledger: completed'),
    ],
  },
  erase: {
    bigquery: [
      sent('kept rows: transaction', /^http POST \S+\/jobs BEGIN TRANSACTION; .*DELETE FROM \S+score_batch_frozen_/, 2),
      sent('erase: transaction', /^http POST \S+\/jobs BEGIN TRANSACTION; .*'erased'/),
      ...reportAgain('bigquery'),
      sent('report: completed', /^http POST \S+\/jobs BEGIN TRANSACTION; (?!.*'erased').*'completed'/),
    ],
    snowflake: [
      inside('kept rows: rows', /^http POST \S+ DELETE FROM \S+"SCORE_BATCH_FROZEN_/, 2),
      inside('kept rows: manifest', /^http POST \S+ UPDATE \S+"SCORE_BATCH_MANIFEST_/, 2),
      inside('erase: rows', /^http POST \S+ DELETE FROM \S+"MARKETING"/, TABLES),
      passed('erase: ranks and summary', /^http POST \S+ UPDATE \S+"(SCORES|REPORT|SUMMARY)(_REPLACED)?" /),
      inside('erase: ledger', /^http POST \S+ INSERT INTO \S+"SCORE_BATCH_LEDGER" .*('erased'|"erased":)/, 3),
      ...reportAgain('snowflake'),
      inside('report: completed', /^http POST \S+ INSERT INTO \S+"SCORE_BATCH_LEDGER" .*'completed'(?!.*"erased":)/),
      // Those of kept rows, of the tables, of the report.
      snowflake.commits(1, 2, 3, 4),
    ],
    duckdb: [
      file('kept rows: folder', /^mkdir \S+\/erasing-\w+$/, 2),
      passed('kept rows: folder of rows', /^mkdir \S+\/erasing-\w+\/(rows|repeated)$/),
      sent('kept rows: file', /^duckdb COPY \(SELECT \* .*\/erasing-\w+\/rows\//, 2),
      passed('kept rows: repeated keys', /^duckdb COPY \(SELECT c0 .*\/erasing-\w+\/repeated\//),
      file('kept rows: manifest', /^write \S+\/erasing-\w+\/frozen\.json$/, 2),
      file('kept rows: complete', /^rename \S+\/erasing-\w+ to \S+\/erased$/, 2),
      file('kept rows: old ones away', /^rename \S+\/frozen to \S+\/score-batch-gone-\w+$/, 2),
      sent('kept rows: old ones removed', /^remove \S+\/score-batch-gone-\w+$/, 2),
      file('kept rows: in place', /^rename \S+\/erased to \S+\/frozen$/, 2),
      inside('erase: rows', /^duckdb DELETE FROM \S+"marketing"/, TABLES),
      passed('erase: ranks and summary', /^duckdb UPDATE /),
      inside('erase: ledger', /^duckdb INSERT INTO \S+"score_batch_ledger" .*('erased'|"erased":)/, 3),
      ofRun('duckdb', 'publish: commit'),
      ...reportAgain('duckdb'),
      sent('report: completed', /^duckdb INSERT INTO \S+"score_batch_ledger" .*'completed'(?!.*"erased":)/),
    ],
  },
  promote: {
    duckdb: [duckdb.promoting, ...JOB_FILE, duckdb.promoted],
    bigquery: [bigquery.promoting, ...JOB_FILE, bigquery.promoted],
    snowflake: [snowflake.promoting, ...JOB_FILE, snowflake.promoted, snowflake.commits(1, 2)],
  },
  'promote by link': {
    duckdb: [duckdb.promoting, ...LINK, ...JOB_FILE, duckdb.promoted],
    bigquery: [bigquery.promoting, ...LINK, ...JOB_FILE, bigquery.promoted],
    snowflake: [snowflake.promoting, ...LINK, ...JOB_FILE, snowflake.promoted, snowflake.commits(1, 2)],
  },
};
