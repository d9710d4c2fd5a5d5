import type { WarehouseKind } from '../../src/domain/warehouse-kind.ts';
import { BLOCKS, CHUNKS } from './project.ts';

// Every durable effect of a run by a name, in the order in which a first run has them. This is the one place where crash points
// are named: an effect that no name matches, or a name that no effect matches any more, fails a test.

/** A kind of warehouse, with rows that are frozen; `tapped` is DuckDB with rows that are scored as the query returns them. */
export type Route = WarehouseKind | 'tapped';

/** See preload.mjs for what they mean. */
export type Phase = 'before' | 'during' | 'after';

export interface Effect {
  readonly name: string;
  /** Matches what preload.mjs tells of the effect. */
  readonly pattern: RegExp;
  /** How often a first run has it; `any` where that says nothing. */
  readonly times: number | 'any';
  /** When a process is killed in it. Before an effect is after the one before it: nothing durable lies between. */
  readonly phases: readonly Phase[];
  /** In which of its occurrences. */
  readonly occurrences: readonly number[];
}

/** A call of the file system. */
export function file(name: string, pattern: RegExp, times: Effect['times'] = 1): Effect {
  return { name, pattern, times, phases: ['after'], occurrences: spread(times) };
}

/** A statement or a request, which can be without an answer; and the removal of a folder, which can have begun. */
export function sent(name: string, pattern: RegExp, times = 1): Effect {
  return { name, pattern, times, phases: ['during', 'after'], occurrences: spread(times) };
}

/** A statement in a transaction that another one commits: wherever in it a process is killed, nothing of it stays. */
export function inside(name: string, pattern: RegExp, times = 1): Effect {
  return { name, pattern, times, phases: ['after'], occurrences: [times] };
}

/** Bytes that a thread writes to a file: what is on disk of them after a kill may be any part. */
const written = sent;

/** An effect that every chunk has. */
function ofChunk({ name, pattern, phases }: Effect): Effect {
  return { name, pattern, phases, times: CHUNKS, occurrences: [1, Math.ceil(CHUNKS / 2), CHUNKS] };
}

/** The first and the last. */
function spread(times: Effect['times']): number[] {
  return times === 'any' ? [1] : [...new Set([1, times])];
}

/** In scratch beside the run folders only that of an instance which has the database file locked: a lock tells that it lives. */
const SPILL = file('spill folder: removed', /^remove .*(\.scratch\/spill-of-\d+|\/[^/.]+(\/scored)?\/spill)-\w+$/, 'any');

const SCORED = ofChunk(sent('scored file', /^duckdb COPY .* POSITIONAL JOIN /));

/** The files of the report, page and index among them: each is killed in, so a process ends between any two of them. */
const REPORT_FILES = 5;

function ofReportFile({ name, pattern, phases }: Effect): Effect {
  return { name, pattern, phases, times: REPORT_FILES, occurrences: Array.from({ length: REPORT_FILES }, (_, i) => i + 1) };
}

const REPORT = [
  file('report: folder', /^mkdir .*\/reports$/, REPORT_FILES),
  ofReportFile(file('report: pending', /^open .*\/reports\/\./)),
  file('report: lines', /^fill .*\/reports\/\.\S+\.csv\./, 2),
  sent('report: parquet', /^duckdb COPY \(SELECT .* ORDER BY rank\) TO \S*\/reports\/\.\S+\.parquet\./),
  file('report: workbook', /^fill .*\/reports\/\.\S+\.xlsx\./),
  file('report: page', /^fill .*\/reports\/\.linear-\S+\.html\./),
  file('report: index', /^fill .*\/reports\/\.index\.html\./),
  ofReportFile(file('report: sync', /^sync .*\/reports\/\./)),
  ofReportFile(file('report: rename', /^rename .*\/reports\/\.\S* to /)),
  file('report: folder sync', /^sync .*\/reports$/, REPORT_FILES),
  file('report: pending removed', /^remove .*\/reports\/\./, REPORT_FILES),
];

/** The work folder on this machine of warehouses that are elsewhere. */
const WORK_FOLDER = [
  file('work folder', /^mkdir .*\/tmp\/score-batch-\w+$/),
  file('work folder: mark', /^write .*\/tmp\/score-batch-\w+\/score-batch\.json\.\w+$/),
  file('work folder: mark in place', /^rename .*\/tmp\/score-batch-\w+\/score-batch\.json\.\w+ to /),
];
const WORK_FOLDER_DISCARDED = [
  file('discard: work folder', /^rename .*\/tmp\/score-batch-\w+ to /, 1),
  sent('discard: files of the work folder', /^remove .*\/tmp\/score-batch-gone-\w+$/),
];

/** With each of it one more chunk is staged. */
export const STAGED = 'stage: chunk';

/** The effects, and which of their occurrences, with which a run is published, and completed. */
export const MILESTONES: Readonly<Record<Route, Record<'published' | 'completed', readonly [string, number]>>> = {
  duckdb: { published: ['publish: commit', 1], completed: ['ledger: completed', 1] },
  tapped: { published: ['publish: commit', 1], completed: ['ledger: completed', 1] },
  bigquery: { published: ['publish: transaction', 1], completed: ['ledger: completed', 1] },
  snowflake: { published: ['commit', 2], completed: ['commit', 3] },
};

const DUCKDB_BEGIN = [
  file('database: folder', /^mkdir .*\/data$/, 3),
  sent('tables: schema', /^duckdb CREATE SCHEMA /, 7),
  sent('ledger: table', /^duckdb CREATE TABLE \S+ \S+ \S+ \S+"score_batch_ledger" /, 3),
  sent('ledger: started', /^duckdb INSERT INTO \S+"score_batch_ledger" .*'started'/),
  file('database: checkpoint', /^duckdb close /, 3),
];

const DUCKDB_PUBLISH = [
  sent('publish: ranks', /^duckdb COPY .*\/ranked-\w+\.parquet' \(/),
  inside('publish: table of reasons', /^duckdb CREATE TEMP TABLE score_batch_reasons /),
  inside('publish: reasons', /^duckdb INSERT INTO score_batch_reasons /),
  inside('publish: table', /^duckdb CREATE TABLE \S+ \S+ \S+ \S+"(scores|scores_quarantine|report|summary)" /, 4),
  inside('publish: delete', /^duckdb DELETE FROM /, 4),
  inside('publish: scores', /^duckdb INSERT INTO \S+"scores" /),
  inside('publish: quarantine', /^duckdb INSERT INTO \S+"scores_quarantine" /),
  inside('publish: report', /^duckdb INSERT INTO \S+"report" /),
  inside('publish: summary', /^duckdb INSERT INTO \S+"summary" /),
  inside('publish: ledger', /^duckdb INSERT INTO \S+"score_batch_ledger" .*'published'/),
  sent('publish: commit', /^duckdb COMMIT$/),
  ...REPORT,
  sent('ledger: completed', /^duckdb INSERT INTO \S+"score_batch_ledger" .*'completed'/),
];

export const EFFECTS: Readonly<Record<Route, readonly Effect[]>> = {
  duckdb: [
    SPILL,
    ...DUCKDB_BEGIN,
    file('scratch: run', /^mkdir .*\.scratch\/[^/]+$/, 3),
    file('scratch: mark', /^write .*\.scratch\/\S+\/score-batch\.json\.\w+$/, 3),
    file('scratch: mark in place', /^rename .*\.scratch\/\S+\/score-batch\.json\.\w+ to /, 3),
    file('scratch: folder', /^mkdir .*\/(freezing-\w+|staged|scored)$/, 3),
    file('freeze: folder', /^mkdir .*\/freezing-\w+\/repeated$/),
    sent('freeze: rows', /^duckdb COPY \(SELECT \S+ AS c0, /),
    sent('freeze: repeated keys', /^duckdb COPY \(SELECT c0 AS key_0 FROM /),
    file('freeze: manifest', /^write .*\/frozen\.json$/),
    file('freeze: complete', /^rename .*\/freezing-\w+ to /),
    SCORED,
    file('stage: sync', /^sync .*\/scored\/chunk-/, 3),
    ofChunk(file('stage: chunk', /^rename .*\/scored\/chunk-\S+ to /)),
    ...DUCKDB_PUBLISH,
    file('drop frozen, discard', /^rename .*\.scratch\/[^/]+ to \S*\/score-batch-gone-\w+$/, 2),
    sent('drop frozen: files', /^remove .*\.scratch\/score-batch-gone-\w+$/),
  ],
  tapped: [
    SPILL,
    ...DUCKDB_BEGIN,
    file('scratch: run', /^mkdir .*\.scratch\/[^/]+$/, 2),
    file('scratch: mark', /^write .*\.scratch\/\S+\/score-batch\.json\.\w+$/, 2),
    file('scratch: mark in place', /^rename .*\.scratch\/\S+\/score-batch\.json\.\w+ to /, 2),
    file('scratch: folder', /^mkdir .*\/(tapping-\w+|staged)$/, 2),
    file('tap: batch', /^write .*\/tapping-\w+\/batch\.json$/),
    file('tap: outcomes', /^write .*\/tapping-\w+\/outcomes$/),
    file('tap: scratch', /^mkdir .*\.scratch$/),
    file('tap: note of reading', /^write .*\.scratch\/reading-\S+\.json$/),
    sent('tap: rows', /^duckdb COPY \(SELECT .* score_batch_tap_\w+\(.* TO \S+\/rows'/),
    written('tap: block of outcomes', /^put .*\/tapping-\w+\/outcomes$/, BLOCKS),
    file('tap: folder of repeated keys', /^mkdir .*\/tapping-\w+\/repeated$/),
    sent('tap: repeated keys', /^duckdb COPY \(SELECT key_0 FROM .*\/repeated\/0\.parquet'/),
    file('tap: note of reading removed', /^remove .*\.scratch\/reading-\S+\.json$/),
    sent('tap: rejected rows', /^duckdb COPY .* TO \S+\/rejected\.parquet'/),
    file('stage: window', /^write .*\/tapping-\w+\/window\.json$/),
    file('stage: chunk', /^rename .*\/tapping-\w+ to /),
    ...DUCKDB_PUBLISH,
    file('drop frozen, discard', /^rename .*\.scratch\/[^/]+ to \S*\/score-batch-gone-\w+$/, 2),
    sent('drop frozen: files', /^remove .*\.scratch\/score-batch-gone-\w+$/),
  ],
  bigquery: [
    SPILL,
    sent('dataset', /^http POST \S+\/datasets /, 2),
    sent('ledger: table', /^http POST \S+\/datasets\/marketing\/tables .*"score_batch_ledger"/),
    sent('lock', /^http POST \S+\/jobs CREATE TABLE IF NOT EXISTS \S+`score_batch_lock_linear` /, 3),
    sent('ledger: started', /^http POST \S+\/jobs BEGIN TRANSACTION; .*'started'/),
    sent('freeze: rows', /^http POST \S+\/jobs CREATE TABLE IF NOT EXISTS \S+`score_batch_frozen_/),
    sent('freeze: manifest', /^http POST \S+\/jobs CREATE TABLE IF NOT EXISTS \S+`score_batch_manifest_/),
    ...WORK_FOLDER,
    SCORED,
    sent('stage: table', /^http POST \S+\/datasets\/scratch\/tables /),
    ofChunk(sent('stage: chunk', /^http POST \/upload\/\S+\/jobs /)),
    sent('publish: table', /^http POST \S+\/datasets\/marketing\/tables .*"(scores|scores_quarantine|report|summary)"/, 4),
    sent('publish: table of reasons', /^http POST \S+\/jobs CREATE TABLE \S+`score_batch_reasons_/),
    sent('publish: reasons', /^http POST \S+\/jobs INSERT INTO \S+`score_batch_reasons_/),
    sent('publish: ranks', /^http POST \S+\/jobs CREATE OR REPLACE TABLE \S+`score_batch_ranked_/),
    sent('publish: reasons dropped', /^http DELETE \S+\/score_batch_reasons_/),
    sent('publish: transaction', /^http POST \S+\/jobs BEGIN TRANSACTION; .*'published'/),
    sent('publish: ranks dropped', /^http DELETE \S+\/score_batch_ranked_/),
    ...REPORT,
    sent('ledger: completed', /^http POST \S+\/jobs BEGIN TRANSACTION; .*'completed'/),
    sent('manifest: dropped', /^http DELETE \S+\/score_batch_manifest_/),
    sent('drop frozen', /^http DELETE \S+\/score_batch_frozen_/),
    ...WORK_FOLDER_DISCARDED,
    sent('discard: staging', /^http DELETE \S+\/score_batch_staged_/),
  ],
  snowflake: [
    SPILL,
    sent('schema', /^http POST \S+ CREATE SCHEMA /, 2),
    sent('ledger: table', /^http POST \S+ CREATE TABLE IF NOT EXISTS \S+"SCORE_BATCH_LEDGER" /),
    sent('lock', /^http POST \S+ CREATE TABLE IF NOT EXISTS \S+"SCORE_BATCH_LOCK_LINEAR" /),
    inside('lock: taken', /^http POST \S+ UPDATE \S+"SCORE_BATCH_LOCK_LINEAR" /, 3),
    inside('ledger: started', /^http POST \S+ INSERT INTO \S+"SCORE_BATCH_LEDGER" .*'started'/),
    sent('commit', /^http POST \S+ COMMIT$/, 3),
    sent('manifest: dropped', /^http POST \S+ DROP TABLE IF EXISTS \S+"SCORE_BATCH_MANIFEST_\w+"$/, 2),
    sent('freeze: rows', /^http POST \S+ CREATE TRANSIENT TABLE IF NOT EXISTS \S+"SCORE_BATCH_FROZEN_/),
    sent('freeze: manifest', /^http POST \S+ CREATE TRANSIENT TABLE IF NOT EXISTS \S+"SCORE_BATCH_MANIFEST_/),
    ...WORK_FOLDER,
    SCORED,
    sent('stage: table', /^http POST \S+ CREATE TRANSIENT TABLE IF NOT EXISTS \S+"SCORE_BATCH_STAGED_/),
    sent('stage: stage', /^http POST \S+ CREATE STAGE IF NOT EXISTS /),
    file('stage: name', /^rename .*\/chunk-\d+-\w+\.parquet to /, 3),
    ofChunk(sent('stage: put', /^http POST \S+ PUT /)),
    ofChunk(file('stage: chunk', /^upload /)),
    file("stage: the driver's folder removed", /^remove .*\/tmp\/tmp\w{6}$/, 3),
    file('stage: uploaded file removed', /^remove .*\/chunk-\S+\.parquet$/, 3),
    sent('reconcile: table', /^http POST \S+ CREATE OR REPLACE TRANSIENT TABLE \S+"SCORE_BATCH_COUNTED_/),
    sent('reconcile: copy', /^http POST \S+ COPY INTO /),
    sent('publish: table', /^http POST \S+ CREATE TABLE IF NOT EXISTS \S+"(SCORES|SCORES_QUARANTINE|REPORT|SUMMARY)" /, 4),
    sent('publish: table of reasons', /^http POST \S+ CREATE OR REPLACE TRANSIENT TABLE \S+"SCORE_BATCH_REASONS_/),
    sent('publish: reasons', /^http POST \S+ INSERT INTO \S+"SCORE_BATCH_REASONS_/),
    sent('publish: ranks', /^http POST \S+ CREATE OR REPLACE TRANSIENT TABLE \S+"SCORE_BATCH_RANKED_/),
    sent('publish: reasons dropped', /^http POST \S+ DROP TABLE IF EXISTS \S+"SCORE_BATCH_REASONS_\w+"$/, 1),
    inside('publish: delete', /^http POST \S+ DELETE FROM /, 4),
    inside('publish: scores', /^http POST \S+ INSERT INTO \S+"SCORES" /),
    inside('publish: quarantine', /^http POST \S+ INSERT INTO \S+"SCORES_QUARANTINE" /),
    inside('publish: report', /^http POST \S+ INSERT INTO \S+"REPORT" /),
    inside('publish: summary', /^http POST \S+ INSERT INTO \S+"SUMMARY" /),
    inside('publish: ledger', /^http POST \S+ INSERT INTO \S+"SCORE_BATCH_LEDGER" .*'published'/),
    ...REPORT,
    inside('ledger: completed', /^http POST \S+ INSERT INTO \S+"SCORE_BATCH_LEDGER" .*'completed'/),
    sent('drop frozen', /^http POST \S+ DROP TABLE IF EXISTS \S+"SCORE_BATCH_FROZEN_\w+"$/),
    ...WORK_FOLDER_DISCARDED,
    sent('discard: stage', /^http POST \S+ DROP STAGE IF EXISTS /),
    sent('discard: tables', /^http POST \S+ DROP TABLE IF EXISTS \S+"SCORE_BATCH_(STAGED|COUNTED|RANKED)_\w+"$/, 3),
  ],
};
