import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { readSeries } from '../../src/metrics-file/metrics.ts';
import { linearProject } from '../support/linear-project.ts';
import { temporaryFolder } from '../support/project.ts';
import { scoreBatch } from '../support/score-batch.ts';
import { sliceProject } from '../support/slice-project.ts';

async function metricsOf(file: string): Promise<Record<string, number>> {
  const series = readSeries(await readFile(file, 'utf8'), 'linear') ?? new Map();
  return Object.fromEntries(
    [...series].flatMap(([name, values]) =>
      [...values].map(([labels, value]) => [`${name}{${String(labels).replace(/^job_name="linear",?/, '')}}`, value]),
    ),
  ) as Record<string, number>;
}

it('tells of the last run, and remembers what earlier processes wrote: counts, the last success, the newest window', async () => {
  const folder = await temporaryFolder();
  const environment = { SCORE_BATCH_METRICS_FILE: path.join(folder, 'textfile', 'score-batch-{job}.prom') };
  const file = path.join(folder, 'textfile', 'score-batch-linear.prom');
  const project = await linearProject();
  expect(await scoreBatch(project, ['run', '--week'], environment)).toMatchObject({ code: 0 });
  const first = await metricsOf(file);
  expect(first).toMatchObject({
    'score_batch_runs_total{state="published"}': 1,
    'score_batch_runs_total{state="failed"}': 0,
    'score_batch_last_run_state{state="published"}': 1,
    'score_batch_last_run_rows{outcome="scored"}': 100,
    'score_batch_last_run_rows{outcome="quarantined"}': 0,
    'score_batch_newest_window_start_timestamp_seconds{}': Date.parse('1997-03-10T00:00-05:00') / 1000,
    'score_batch_newest_window_end_timestamp_seconds{}': Date.parse('1997-03-17T00:00-05:00') / 1000,
  });
  expect(first['score_batch_last_run_stage_seconds{stage="score"}']).toBeGreaterThan(0);
  expect(first['score_batch_last_success_timestamp_seconds{}']).toBe(first['score_batch_last_run_timestamp_seconds{}']);

  // An older window without rows is refused: the last success and the newest window stay.
  expect(await scoreBatch(project, ['run', '--week', '1997-W08'], environment)).toMatchObject({ code: 65 });
  const second = await metricsOf(file);
  expect(second).toMatchObject({
    'score_batch_runs_total{state="published"}': 1,
    'score_batch_runs_total{state="refused"}': 1,
    'score_batch_last_run_state{state="published"}': 0,
    'score_batch_last_run_state{state="refused"}': 1,
    'score_batch_last_run_rows{outcome="scored"}': 0,
  });
  for (const name of ['last_success_timestamp_seconds{}', 'newest_window_end_timestamp_seconds{}'])
    expect(second[`score_batch_${name}`]).toBe(first[`score_batch_${name}`]);
  expect(second['score_batch_last_run_timestamp_seconds{}']).toBeGreaterThan(
    first['score_batch_last_run_timestamp_seconds{}'] ?? 0,
  );

  // An older window that is published is not the newest.
  const args = ['backfill', '--from', '1997-W08', '--to', '1997-W09', '--allow-empty'];
  const edited = await scoreBatch(
    await linearProject({ edit: (job) => job.replace('min_rows: 1', 'min_rows: 0') }),
    args,
    environment,
  );
  expect(edited.code, edited.stderr).toBe(0);
  expect(await metricsOf(file)).toMatchObject({
    'score_batch_runs_total{state="published"}': 3,
    'score_batch_newest_window_end_timestamp_seconds{}': first['score_batch_newest_window_end_timestamp_seconds{}'],
  });
  expect(await readdir(path.dirname(file))).toEqual(['score-batch-linear.prom']);
}, 120_000);

it('tells of a run in parts when each was done, and how it ended once it has', async () => {
  const file = path.join(await temporaryFolder(), 'linear.prom');
  const project = await linearProject();
  const phase = async (name: string) => {
    const { code, stderr } = await scoreBatch(project, [name, '--week'], { SCORE_BATCH_METRICS_FILE: file });
    expect(code, stderr).toBe(0);
    return await metricsOf(file);
  };
  const frozen = await phase('freeze');
  const scored = await phase('score');
  expect([frozen, scored].map(Object.keys)).toEqual(Array(2).fill(['score_batch_last_phase_timestamp_seconds{}']));
  const published = await phase('publish');
  const [first, second, third] = [frozen, scored, published].map(
    (all) => all['score_batch_last_phase_timestamp_seconds{}'] ?? 0,
  );
  expect(second).toBeGreaterThan(first ?? 0);
  expect(third).toBe(second);
  expect(published).toMatchObject({
    'score_batch_last_run_state{state="published"}': 1,
    'score_batch_runs_total{state="published"}': 1,
  });
});

it('tells of slices in a file of their own, each time, even if nothing has changed; the batch is another series', async () => {
  const folder = await temporaryFolder();
  const project = await sliceProject();
  const slice = async () => {
    const environment = { SCORE_BATCH_METRICS_FILE: path.join(folder, '{job}.prom') };
    expect(await scoreBatch(project, ['--slice'], environment)).toMatchObject({ code: 0 });
    const text = await readFile(path.join(folder, 'linear.incremental.prom'), 'utf8');
    const series = readSeries(text, 'linear.incremental');
    expect(series?.has('score_batch_newest_window_end_timestamp_seconds')).toBe(false);
    return [...(series?.get('score_batch_last_success_timestamp_seconds')?.values() ?? [])][0] ?? 0;
  };
  const [first, second] = [await slice(), await slice()];
  expect(second).toBeGreaterThan(first);
  expect(await readdir(folder)).toEqual(['linear.incremental.prom']);
});

it('leaves alone what it has not written, and warns', async () => {
  const folder = await temporaryFolder();
  const file = path.join(folder, 'all.prom');
  const foreign = 'score_batch_last_run_timestamp_seconds{job_name="another"} 1\n';
  await writeFile(file, foreign);
  const { code, stderr } = await scoreBatch(await linearProject(), ['run', '--week'], { SCORE_BATCH_METRICS_FILE: file });
  expect(code).toBe(0);
  expect(stderr).toContain(
    `warning: the metrics were not written: ${file} holds something other than the metrics of linear; add {job} to the path in SCORE_BATCH_METRICS_FILE`,
  );
  expect(await readFile(file, 'utf8')).toBe(foreign);
});

it.each([
  ['a folder stands in its place', async (file: string) => void (await mkdir(file))],
  [
    'its folder is a file',
    async (file: string) => {
      await mkdir(path.dirname(path.dirname(file)), { recursive: true });
      await writeFile(path.dirname(file), '');
    },
  ],
])('cannot be written since %s: one warning, and the run is published', async (_, prepare) => {
  const file = path.join(await temporaryFolder(), 'textfile', 'linear.prom');
  await mkdir(path.dirname(path.dirname(file)), { recursive: true });
  if (_.startsWith('a folder')) await mkdir(path.dirname(file));
  await prepare(file);
  const { code, stderr } = await scoreBatch(await linearProject(), ['run', '--week'], { SCORE_BATCH_METRICS_FILE: file });
  expect(code).toBe(0);
  expect(stderr.split('\n').filter((line) => line.startsWith('warning: the metrics were not written: '))).toHaveLength(1);
});

it('reads nothing into a file that is cut off, or has values that are no numbers', () => {
  expect(readSeries('score_batch_runs_total{job_name="linear",state="fai', 'linear')).toBeUndefined();
  expect(readSeries('score_batch_runs_total{job_name="linear"} many', 'linear')).toBeUndefined();
  expect(readSeries('up{job_name="linear"} 1', 'linear')).toBeUndefined();
  expect(readSeries('', 'linear')?.size).toBe(0);
});
