import { describe, expect, it } from 'vitest';
import {
  bigquery,
  ENVIRONMENT,
  expectedCsv,
  FILL,
  leftInScratch,
  missing,
  replaced,
  weeklyProject,
  weekOf,
} from '../across/week.ts';
import { holdingProxy } from '../support/holding-proxy.ts';
import { type Outcome, scoreBatch, scoreBatchProcess } from '../support/score-batch.ts';
import { cronJob, manifest, steps } from './manifest.ts';

/** A pod that has a GPU scores with one worker, and so do all pods here, where they are on one machine. */
const onOneCore = (arg: string) => arg.replace('--workers=4', '--workers=1');

// Without an emulator; the last line of the output says why there is none.
describe.skipIf(missing.bigquery)('the pods of the Job', () => {
  it('what the pods run scores a window once, together, and a pod that comes late finds it done', {
    timeout: 600_000,
  }, async () => {
    const { completions, template } = cronJob('cronjob.yaml').spec.jobTemplate.spec;
    const folder = await weeklyProject({ edit: (job) => replaced(job, 'score:\n', 'score:\n  chunk_rows: 200\n') });
    const url = await FILL.bigquery();
    const variables = { ...ENVIRONMENT, WAREHOUSE_URL: url, SINK_URL: url };
    /** The containers of one pod, one after the other, up to one that fails. @param frozen what to wait for after the first */
    const pod = async (index: number, through: NodeJS.ProcessEnv = {}, frozen?: Promise<unknown>): Promise<Outcome[]> => {
      const outcomes: Outcome[] = [];
      for (const { args, env } of steps(template.spec)) {
        const own = { ...Object.fromEntries(env.map(({ name, value }) => [name, value])), JOB_COMPLETION_INDEX: String(index) };
        const outcome = await scoreBatchProcess(folder, ['--json', ...args.map(onOneCore)], {
          ...variables,
          ...own,
          ...through,
        });
        outcomes.push(outcome);
        if (outcome.code !== 0) break;
        await frozen;
      }
      return outcomes;
    };
    const last = (outcomes: readonly Outcome[]) => JSON.parse(outcomes.at(-1)?.stdout ?? '') as Record<string, unknown>;

    const [late, ...early] = Array.from({ length: completions }, (_, index) => index);
    // All freeze at once; then the first one is held when it would stage a chunk, until the others have ended, which begin to score
    // meanwhile: so more than one has scored something, however fast each of them is.
    const proxy = await holdingProxy(bigquery?.rest ?? '', /score_batch_stage_/);
    const first = pod(early[0] ?? 0, { BIGQUERY_EMULATOR_HOST: proxy.url });
    const held = Promise.race([proxy.reached, first]);
    const others = await Promise.all(early.slice(1).map((index) => pod(index, {}, held)));
    proxy.release();
    const pods = [await first, ...others];
    expect(pods.map((outcomes) => outcomes.map(({ code }) => code))).toEqual(early.map(() => [0, 0, 0]));
    expect(new Set(pods.map((outcomes) => last(outcomes).run_id)).size).toBe(1);
    const scored = pods.map(([, score]) => (JSON.parse(score?.stdout ?? '') as { rows_scored: number }).rows_scored);
    expect(scored.filter((rows) => rows > 0).length).toBeGreaterThan(1);

    const found = await pod(late ?? 0);
    expect(found.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(last(found)).toMatchObject({ state: 'already published', run_id: last(pods[0] ?? []).run_id });
    const { csv, runs } = await weekOf(folder, url, url);
    expect(csv).toBe(await expectedCsv());
    expect(runs).toMatchObject([{ state: 'completed', current: true, rows: { frozen: 2053, scored: 2053, quarantined: 0 } }]);
    expect(await leftInScratch(url)).toEqual([]);
  });

  it('a pod that was to have a GPU, and has none, says so', async () => {
    const [freeze, score] = steps(cronJob('cronjob-gpu.yaml').spec.jobTemplate.spec.template.spec);
    const folder = await weeklyProject();
    const url = await FILL.bigquery();
    const variables = { ...ENVIRONMENT, WAREHOUSE_URL: url, SINK_URL: url, JOB_COMPLETION_INDEX: '0' };
    expect(await scoreBatch(folder, freeze?.args ?? [], variables)).toMatchObject({ code: 0 });
    expect(await scoreBatch(folder, score?.args ?? [], variables)).toMatchObject({ code: 78 });
  });
});

it('the manifest for GPUs is the other one, with a GPU', () => {
  const argsOf = (name: string) => steps(cronJob(name).spec.jobTemplate.spec.template.spec).map(({ args }) => args);
  expect(argsOf('cronjob-gpu.yaml')).toEqual(argsOf('cronjob.yaml').map((args) => [...args.map(onOneCore), '--require-gpu']));
  const withoutGpu = (text: string) =>
    JSON.parse(text, (key, value) => (['args', 'image', 'resources', 'tolerations'].includes(key) ? undefined : value));
  expect(withoutGpu(JSON.stringify(manifest('cronjob-gpu.yaml')))).toEqual(
    withoutGpu(JSON.stringify(manifest('cronjob.yaml'))),
  );
});

it('a Job has as many shards as pods', () => {
  for (const { spec } of ['cronjob.yaml', 'cronjob-gpu.yaml'].map((name) => cronJob(name).spec.jobTemplate)) {
    const [, score] = steps(spec.template.spec);
    expect(score?.args).toContain(`--shards=${spec.completions}`);
  }
});
