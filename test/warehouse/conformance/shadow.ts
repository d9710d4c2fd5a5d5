import { expect } from 'vitest';
import type { Bands } from '../../../src/domain/bands.ts';
import type { LedgerEntry } from '../../../src/domain/ledger.ts';
import { incrementalJob } from '../../../src/domain/slice.ts';
import type { ScoreLayout } from '../../../src/domain/tables.ts';
import type { JobDefinition } from '../../../src/job/schema.ts';
import { compareShadow } from '../../../src/shadow/compare.ts';
import { ensureView } from '../../../src/shadow/view.ts';
import {
  emptyTables,
  entryOf,
  FIRST_DAY,
  MODEL,
  NAMES,
  type RunSettings,
  stageAll,
  startRun,
  WEEK,
  WEEK_BEFORE,
} from './run.ts';
import { type Area, JOB, type OpenSubject, withUsers } from './subject.ts';

const SLICES = incrementalJob(JOB);
const VIEW = ['marketing', 'shown'];

const THRESHOLDS: Bands = { by: 'threshold', bounds: [{ name: 'high', bound: 900_000 }], rest: 'low' };

interface Wanted {
  readonly scores?: string;
  readonly layout?: ScoreLayout;
  readonly job?: string;
  readonly high?: number;
}

function jobOf({ scores = 'scores', layout = 'wide', job = JOB, high = 100_000 }: Wanted = {}) {
  const bands = { by: 'threshold', bounds: [{ name: 'high', bound: high }], rest: 'low' };
  const incremental = { table: 'marketing.current', since: '2026-11-16', bands };
  const shadow = { comparisons: 2, max_extra: 0, max_delta: 1e-6, view: VIEW.join('.') };
  return {
    definition: {
      ...{ name: job, every: 'week', time_zone: 'America/New_York', source: { key: ['user_id'] } },
      ...{ sink: { table: `marketing.${scores}`, keep: ['country'], layout }, score: { column: 'score', bands } },
      incremental: { ...incremental, interval: 3_600_000, shadow },
    } as unknown as JobDefinition,
  };
}

/** Publishes with what a comparison needs of the ledger. */
async function publish({ warehouse }: OpenSubject, runId: string, settings: RunSettings = {}): Promise<void> {
  const run = await startRun(warehouse, runId, settings);
  await stageAll(run, { reject: "case when user_id < 5 then 'too odd' end" });
  const { name: table, columns } = run.tables.scores;
  await run.publish(undefined, { details: { table, columns } });
}

/** Rows of the current table and of a boundary as a slice leaves them that agrees with the batch. */
async function slice({ execute, table, stringType }: OpenSubject): Promise<void> {
  const [current, boundary, scores] = [['marketing', 'current'], ['marketing', 'current_boundary'], NAMES.scores].map(table);
  const kept = 'user_id, country, score, band, model_version, model_digest, scored_at';
  await execute(`drop table if exists ${current}`);
  await execute(`drop table if exists ${boundary}`);
  await execute(`create table ${current} as select ${kept}, false as deleted, '${SLICES}' as job from ${scores}`);
  await execute(`create table ${boundary} as select user_id, score, cast(null as ${stringType}) as reason, model_digest,
    window_end as boundary, '${SLICES}' as job from ${scores}`);
}

/** The current table beside the batch: compared at the end of a window, and a view that reads one of them. */
export const shadow: Area = (it, makeSubject) => {
  it('counts how a boundary of the current table agrees with the batch, and drops its rows once it does', async () => {
    const subject = await withUsers(makeSubject, 120);
    const { warehouse, execute, table, rows } = subject;
    const { sink } = warehouse;
    const ledger = warehouse.ledger(emptyTables().ledger);
    const compare = () => compareShadow(jobOf(), { sink, ledger });
    expect(await compare()).toEqual({ made: [], waiting: [] });
    await publish(subject, 'first');
    await slice(subject);
    const boundary = table(['marketing', 'current_boundary']);
    for (const statement of [
      `delete from ${boundary} where user_id = 10`,
      `update ${boundary} set score = score + 0.001 where user_id = 20`,
      `update ${boundary} set score = score + 0.000001 where user_id = 21`,
      `update ${boundary} set score = score + 0.1, model_digest = 'other' where user_id = 30`,
      `update ${boundary} set score = null where user_id = 40`,
      ...[2, 900].map(
        (id) =>
          `insert into ${boundary} select ${id}, score, reason, model_digest, boundary, job from ${boundary} where user_id = 50`,
      ),
    ])
      await execute(statement);
    const { made } = await compare();
    expect(made.map(({ comparison }) => comparison)).toEqual([
      {
        window: { label: WEEK.label, start: WEEK.start, end: WEEK.end },
        ...{ run_id: 'first', publication: 1, keys: 115, missing: 1, extra: 1, compared: 112, differing: 1, other_model: 1 },
        ...{ quarantined_in_batch: 1, quarantined_in_current: 1, largest_delta: 0.001, max_delta: 1e-6, within: false },
      },
    ]);
    const looked: number[] = [];
    for (const statement of made[0]?.look ?? []) looked.push((await rows(statement)).length);
    expect(looked).toEqual([3, 1, 1]);
    // Kept for a look, and not compared again.
    const left = async () => Number(Object.values((await rows(`select count(*) as n from ${boundary}`))[0] ?? {})[0]);
    expect(await left()).toBe(116);
    expect(await compare()).toEqual({ made: [], waiting: [] });

    // The window is published again, so it is another comparison.
    await publish(subject, 'second', { supersedes: 'first' });
    await slice(subject);
    const again = await compare();
    expect(again.made).toMatchObject([
      { comparison: { publication: 2, keys: 115, extra: 0, compared: 115, differing: 0, within: true }, look: [] },
    ]);
    expect(await left()).toBe(0);
    const entries = await ledger.entries({ job: SLICES, states: ['compared'] });
    expect(entries.map(({ window, details }) => [window.label, details.shadow?.publication, details.shadow?.within])).toEqual([
      [WEEK.label, 1, false],
      [WEEK.label, 2, true],
    ]);
  });

  it('makes a view that one row of the ledger switches, replaces it when the job changes, and no view or table of others', async () => {
    const subject = await withUsers(makeSubject, 40);
    const { warehouse, execute, table, rows } = subject;
    const { sink } = warehouse;
    await publish(subject, 'first');
    expect(await ensureView(jobOf(), sink)).toMatchObject({ state: 'waiting', missing: ['marketing.current'] });
    await slice(subject);
    await execute(`update ${table(['marketing', 'current'])} set score = 0.5 where user_id = 7`);
    await execute(`update ${table(['marketing', 'current'])} set score = null where user_id = 8`);
    await execute(`update ${table(['marketing', 'current'])} set deleted = true where user_id = 9`);
    expect(await ensureView(jobOf(), sink)).toMatchObject({ state: 'created' });
    expect(await ensureView(jobOf(), sink)).toMatchObject({ state: 'unchanged' });
    const shown = async () =>
      (await rows(`select origin, band, count(*) as n from ${table(VIEW)} group by origin, band`))
        .map((row) => Object.values(row).map(String).join(' '))
        .sort();
    expect(await shown()).toEqual(['batch low 35']);
    expect(await ensureView(jobOf({ high: 20_000 }), sink)).toMatchObject({ state: 'replaced' });
    expect(await shown()).toEqual(['batch high 20', 'batch low 15']);
    const switched = (label: string): LedgerEntry => ({
      ...entryOf(`switch-${label}`, { ...WEEK, label }),
      ...{ job: SLICES, state: 'switched', model: MODEL },
    });
    const ledger = warehouse.ledger(emptyTables().ledger);
    await ledger.append(switched('current'));
    expect(await shown()).toEqual(['current high 4', 'current low 29']);
    await ledger.append(switched('batch'));
    expect(await shown()).toEqual(['batch high 20', 'batch low 15']);

    await expect(ensureView(jobOf({ job: 'another' }), sink)).rejects.toMatchObject({ kind: 'configuration' });
    await execute(`drop view ${table(VIEW)}`);
    await execute(`create view ${table(VIEW)} as select user_id from ${table(NAMES.scores)}`);
    await expect(ensureView(jobOf(), sink)).rejects.toThrow('a view that score-batch did not make');
    await execute(`drop view ${table(VIEW)}`);
    await execute(`create table ${table(VIEW)} as select user_id from ${table(NAMES.scores)}`);
    await expect(ensureView(jobOf(), sink)).rejects.toThrow('is a table, not a view');
  });

  it('makes the view over layouts that leave the model to the ledger', async () => {
    const subject = await withUsers(makeSubject, 40);
    const { warehouse, execute, table, rows } = subject;
    await publish(subject, 'first');
    await slice(subject);
    for (const [layout, window] of [
      ['narrow', WEEK_BEFORE],
      ['slim', FIRST_DAY],
    ] as const) {
      await publish(subject, layout, { layout, window, bands: THRESHOLDS, scores: ['marketing', layout] });
      expect(await ensureView(jobOf({ scores: layout, layout }), warehouse.sink)).toMatchObject({ missing: [] });
      const found = await rows(
        `select model_version, model_digest, count(*) as n, count(scored_at) as t from ${table(VIEW)} group by model_version, model_digest`,
      );
      expect(found.map((row) => Object.values(row).map(String))).toEqual([
        ['1', MODEL.digest, '35', layout === 'slim' ? '0' : '35'],
      ]);
      await execute(`drop view ${table(VIEW)}`);
    }
  });
};
