import { copyFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Bands } from '../../../src/domain/bands.ts';
import type { MeasuredDrift } from '../../../src/domain/feature-drift.ts';
import type { FrozenTable } from '../../../src/domain/frozen-table.ts';
import type { LedgerEntry, LedgerWindow } from '../../../src/domain/ledger.ts';
import type { Query } from '../../../src/domain/query.ts';
import type { RunDetails } from '../../../src/domain/run-details.ts';
import type { Column } from '../../../src/domain/schema.ts';
import { isStagedAsText, SKIP_KEY, stagedKeep, stagedKey } from '../../../src/domain/staged-columns.ts';
import type { TableName } from '../../../src/domain/table-name.ts';
import { type ScoreLayout, type Tables, tablesOf } from '../../../src/domain/tables.ts';
import { canonicalText } from '../../../src/duckdb/canonical-text.ts';
import { identifier, literal } from '../../../src/duckdb/sql.ts';
import type { PublicationSpec, StagedTally } from '../../../src/warehouse/publication-spec.ts';
import type { Warehouse } from '../../../src/warehouse/warehouse.ts';
import { temporaryFolder } from '../../support/project.ts';
import { freeze, named, USERS, withWorker } from './frozen.ts';
import { JOB } from './subject.ts';

export const WEEK: LedgerWindow = {
  label: '2026-W47',
  start: '2026-11-16T05:00:00.000Z',
  end: '2026-11-23T05:00:00.000Z',
  kind: 'week',
};

export const WEEK_BEFORE: LedgerWindow = {
  label: '2026-W46',
  start: '2026-11-09T05:00:00.000Z',
  end: '2026-11-16T05:00:00.000Z',
  kind: 'week',
};

export const FIRST_DAY: LedgerWindow = {
  label: '2026-11-16',
  start: WEEK.start,
  end: '2026-11-17T05:00:00.000Z',
  kind: 'day',
};

const BANDS: Bands = { by: 'share', bounds: [{ name: 'high', bound: 100_000 }], rest: 'low' };

export const EDGES = [0.25, 0.5];

export const MODEL = { name: 'linear', version: '1', digest: 'd'.repeat(64) };

export const NAMES = {
  scores: ['marketing', 'scores'],
  quarantine: ['marketing', 'scores_quarantine'],
  ledger: ['marketing', 'score_batch_ledger'],
  report: ['marketing', 'report'],
  summary: ['marketing', 'summary'],
};

export interface RunSettings {
  readonly query?: Query;
  readonly key?: readonly string[];
  readonly keep?: readonly string[];
  readonly scores?: TableName;
  readonly chunkRows?: number;
  readonly window?: LedgerWindow;
  /** Id of a run. */
  readonly supersedes?: string | undefined;
  /** By default 1. */
  readonly history?: number;
  readonly overlaps?: PublicationSpec['overlaps'];
  readonly sharedTables?: boolean;
  readonly job?: string;
  readonly model?: LedgerEntry['model'];
  readonly edges?: readonly number[];
  readonly layout?: ScoreLayout;
  /** Columns that the model gives, with expressions over the frozen chunk; null where a row is rejected. */
  readonly classes?: readonly { readonly column: Column; readonly value: string }[];
  readonly bands?: Bands;
  /** Number of rows with reasons, of two features each: `rank 1's first`, `rank 1's second`. */
  readonly explained?: number;
  readonly holdout?: number;
  /** Rows of a drift table, which the job has only then. */
  readonly drift?: MeasuredDrift;
}

/** SQL over the frozen chunk, for a DuckDB in memory that plays the chunk worker. */
export interface Outcome {
  readonly key?: string;
  readonly score?: string;
  readonly reject?: string;
  readonly provider?: string;
  readonly where?: string;
  /** Skip key of scored rows; by default the file has no such column. */
  readonly skipKey?: string;
  /** Identity of another frozen table that was read, and of another scorer. */
  readonly frozen?: string;
  readonly scorer?: string;
}

const SCORER = '0'.repeat(8);

const FACTS = JSON.stringify({ scorer: { score_batch: '1', onnxruntime: '1', provider: 'cpu', processor: 'x64' } });

export function attemptOf(frozen: string, ending: string, scorer = SCORER): string {
  return `${frozen}${scorer}${ending}`;
}

/** What another publication of the same run does otherwise. */
interface Changes {
  /** Id of a run. */
  readonly supersedes?: string;
  readonly restored?: number;
  readonly rolledBack?: PublicationSpec['rolledBack'];
  readonly details?: RunDetails;
}

export interface TestRun {
  readonly runId: string;
  readonly warehouse: Warehouse;
  readonly frozen: FrozenTable;
  readonly tables: Tables;
  readonly window: LedgerWindow;
  /** @param ending of the attempt's id, which begins as one of this frozen table */
  stage(chunk: number, ending: string, outcome?: Outcome): Promise<void>;
  tally(): Promise<StagedTally>;
  /** @param meanwhile what somebody does after the rows were counted */
  publish(meanwhile?: () => Promise<void>, changes?: Changes): Promise<boolean>;
}

/** Freezes a window; by default scores are user_id / 1000 and nobody is rejected. */
export async function startRun(warehouse: Warehouse, runId: string, settings: RunSettings = {}): Promise<TestRun> {
  const { query: from = USERS, window = WEEK, edges, layout = 'wide', bands = BANDS, explained, holdout } = settings;
  const { sink } = warehouse;
  const frozen = await freeze(warehouse, runId, from, {
    key: settings.key ?? ['user_id'],
    chunkRows: settings.chunkRows ?? 100,
  });
  const key = named(frozen.columns, settings.key ?? ['user_id']);
  const queried = named(frozen.columns, settings.keep ?? ['country']);
  const { classes = [] } = settings;
  const keep = [...queried, ...classes.map(({ column }) => column)];
  const names = {
    ...NAMES,
    scores: settings.scores ?? NAMES.scores,
    ...(layout !== 'wide' && { report: undefined }),
    ...(settings.drift && { drift: ['marketing', 'drift'] }),
  };
  const tables = tablesOf(names, {
    key,
    keep,
    scoreColumn: 'score',
    layout,
    reasons: explained && 2,
    holdout: holdout !== undefined,
  });
  const work = await temporaryFolder();
  const publicationOf = async (run: string | undefined) => {
    const entries = await warehouse.ledger(tables.ledger).entries({ job: settings.job ?? JOB, window });
    const found = entries.findLast(({ runId: id, publication }) => id === run && publication !== undefined);
    return found && { number: found.publication ?? 0, runId: found.runId };
  };
  const tally = () => sink.tally({ runId, frozen, key, keep, scorer: undefined, scoreEdges: edges });
  const numeric = key[0]?.type === 'integer';
  return {
    runId,
    warehouse,
    frozen,
    tables,
    window,
    async stage(chunk, ending, outcome = {}) {
      const attempt = attemptOf(outcome.frozen ?? frozen.id, ending, outcome.scorer);
      const folder = await sink.workFolder(runId);
      const made = path.join(work, `${chunk}-${attempt}.parquet`);
      const file = path.join(folder, `chunk-${chunk}-${attempt}.parquet`);
      const first = identifier(key[0]?.name ?? '');
      const score = outcome.score ?? (numeric ? `(case when true then ${first} end) / 1000.0` : `0.5`);
      const reject = outcome.reject ?? 'null';
      const staged = (expression: string, column: Column) =>
        sink.stagesText && isStagedAsText(column) ? canonicalText(expression, column) : expression;
      const scoredAt = staged("timestamptz '2026-11-23 08:00:00+00'", { name: 'scored_at', type: 'timestamp', native: '' });
      await mkdir(folder, { recursive: true });
      await withWorker(async (database) => {
        await warehouse.source.loadChunk(frozen, chunk, database);
        await database.run(
          `copy (
           select ${key.map((column, i) => `${staged(outcome.key ?? identifier(column.name), column)} as ${stagedKey(i)}`).join(', ')},
             ${queried.map((column, i) => `${staged(identifier(column.name), column)} as ${stagedKeep(i)}, `).join('')}
             ${classes.map(({ column, value }, i) => `case when ${reject} is null then ${staged(value, column)} end as ${stagedKeep(queried.length + i)}, `).join('')}
             case when ${reject} is null then cast(${score} as decimal(7, 6)) end as score,
             ${outcome.skipKey === undefined ? '' : `case when ${reject} is null then cast(${outcome.skipKey} as bigint) end as ${SKIP_KEY},`}
             cast(${reject} as varchar) as reason, case when ${reject} is not null then 'a' end as column_name,
             cast(null as varchar) as value, cast(${chunk} as integer) as chunk, ${literal(attempt)} as attempt,
             ${literal(outcome.provider ?? 'cpu')} as provider, ${literal(FACTS)} as facts, ${scoredAt} as scored_at
           from chunk where ${outcome.where ?? 'true'}
         ) to ${literal(made)} (format parquet)`,
        );
      });
      // Staging may move the file.
      await copyFile(made, file);
      const rows = frozen.chunks.find((other) => other.chunk === chunk)?.rows ?? 0;
      const seconds = { read: 0, encode: 0, score: 0, write: 0 };
      await sink.stage(runId, { chunk, attempt, file, rows, provider: outcome.provider ?? 'cpu', seconds });
    },
    tally,
    async publish(meanwhile, changes = {}) {
      const { pinned, rejections } = await tally();
      const supersedes = await publicationOf(changes.supersedes ?? settings.supersedes);
      await meanwhile?.();
      const scored = pinned.reduce((sum, attempt) => sum + attempt.scored, 0);
      const quarantined = rejections.reduce((sum, { rows }) => sum + rows, 0);
      const spec: PublicationSpec = {
        entry: {
          ...entryOf(runId, window),
          ...(settings.job !== undefined && { job: settings.job }),
          ...(settings.model && { model: settings.model }),
          state: 'published',
          rows: { frozen: frozen.rows, scored, quarantined },
          details: changes.details ?? {},
        },
        supersedes,
        history: settings.history ?? 1,
        restored: changes.restored,
        rolledBack: changes.rolledBack,
        overlaps: settings.overlaps ?? [],
        sharedTables: settings.sharedTables ?? false,
        pinned: changes.restored === undefined ? pinned : [],
        tables,
        key,
        keep,
        bands,
        segments: keep.some(({ name }) => name === 'country') ? ['country'] : [],
        drift: settings.drift,
        reported: true,
        scored,
        holdout,
        ...(explained !== undefined && {
          reasons: {
            features: 2,
            rows: Array.from({ length: explained }, (_, i) => [`rank ${i + 1}'s \\ first\n<é>`, i % 2 === 0 ? 'second' : null]),
          },
        }),
      };
      return await sink.publish(spec);
    },
  };
}

export async function stageAll(run: TestRun, outcome: Outcome = {}): Promise<void> {
  for (const { chunk } of run.frozen.chunks) await run.stage(chunk, 'aaaa', outcome);
}

export async function publishRun(warehouse: Warehouse, runId: string, settings: RunSettings & Outcome = {}): Promise<TestRun> {
  const { reject, score, ...rest } = settings;
  const run = await startRun(warehouse, runId, rest);
  await stageAll(run, { ...(reject !== undefined && { reject }), ...(score !== undefined && { score }) });
  await run.publish();
  return run;
}

export function emptyTables(): Tables {
  return tablesOf(NAMES, { key: [], keep: [], scoreColumn: 'score' });
}

export function entryOf(runId: string, window: LedgerWindow): LedgerEntry {
  return {
    recordedAt: '2026-11-23T08:00:00.000Z',
    runId,
    job: JOB,
    window,
    state: 'started',
    fingerprint: 'f'.repeat(64),
    model: MODEL,
    host: 'here',
    details: {},
  };
}
