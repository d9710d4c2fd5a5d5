import { expect, it } from 'vitest';
import { holdingProxy } from '../support/holding-proxy.ts';
import {
  bigquery,
  EMPTY,
  expectedCsv,
  FILL,
  leftInScratch,
  missing,
  replaced,
  snowflake,
  startWeek,
  weeklyProject,
  weekOf,
} from './week.ts';

it.for(['bigquery', 'snowflake'] as const)('two processes of one run both end well, within %s', async (kind, { skip }) => {
  skip(missing[kind], 'the emulator is not there');
  const url = await FILL[kind]();
  const folder = await weeklyProject();
  const ends = await Promise.all([startWeek(folder, url, url), startWeek(folder, url, url)]);
  expect(ends.map(({ code, stderr }) => (code === 0 ? 'well' : stderr))).toEqual(['well', 'well']);
  const { csv, runs } = await weekOf(folder, url, url);
  expect(csv).toBe(await expectedCsv());
  expect(runs.filter(({ current }) => current)).toMatchObject([{ rows: { frozen: 2053, scored: 2053, quarantined: 0 } }]);
  expect(await leftInScratch(url)).toEqual([]);
});

/** The first request of publishing, by what it says; until then a run has only read what is published. */
const PUBLISHING = { bigquery: /score_batch_ranked/, snowflake: /SCORE_BATCH_RANKED/ };

it.for([
  ['bigquery', 'snowflake'],
  ['snowflake', 'bigquery'],
] as const)(
  'two different runs meet at the publish lock, from %s to %s: the later one says so',
  async ([from, to], { skip }) => {
    skip(missing[from] || missing[to], 'the emulator is not there');
    const [source, sink] = [await FILL[from](), await EMPTY[to]()];
    const proxy = await holdingProxy((to === 'bigquery' ? bigquery?.rest : snowflake?.url) ?? '', PUBLISHING[to]);
    const through = to === 'bigquery' ? { BIGQUERY_EMULATOR_HOST: proxy.url } : { SNOWFLAKE_ACCESS_URL: proxy.url };
    const slow = startWeek(await weeklyProject(), source, sink, through);
    await proxy.reached;
    const folder = await weeklyProject({ edit: (job) => replaced(job, 'max_drop: 50%', 'max_drop: 40%') });
    const fast = await startWeek(folder, source, sink);
    expect(fast.code, fast.stderr).toBe(0);
    proxy.release();
    const { code, stderr } = await slow;
    expect(stderr).toMatch(/error: another run \(1997-W11-\w+\) published 1997-W11 in the meantime/);
    expect(code).toBe(75);
    const { csv, runs } = await weekOf(folder, source, sink);
    expect(csv).toBe(await expectedCsv());
    expect(runs.map(({ state, current }) => `${state} ${current}`)).toEqual(['failed false', 'completed true']);
  },
);
