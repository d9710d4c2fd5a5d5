import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { holdingProxy } from '../support/holding-proxy.ts';
import { startScoreBatch } from '../support/score-batch.ts';
import {
  bigquery,
  expectedCsv,
  FILL,
  leftInScratch,
  missing,
  replaced,
  snowflake,
  weekEnvironment,
  weeklyProject,
} from './week.ts';

const CHUNKS = 9;
const ONE_CHUNK = 250;

/** The first request of staging, by what it says. */
const STAGING = { bigquery: /score_batch_stage_/, snowflake: /PUT 'file/ };

it.for(['bigquery', 'snowflake'] as const)(
  'shards on machines of their own, one of which dies, within %s',
  async (kind, { skip }) => {
    skip(missing[kind], 'the emulator is not there');
    const url = await FILL[kind]();
    // Each process has a checkout of its own: what they have in common is in the warehouse.
    const start = async (args: readonly string[], environment: NodeJS.ProcessEnv = {}) => {
      const folder = await weeklyProject({ edit: (job) => replaced(job, 'score:\n', `score:\n  chunk_rows: ${ONE_CHUNK}\n`) });
      const running = startScoreBatch(folder, [...args, '--week', '--json'], { ...weekEnvironment(url, url), ...environment });
      return { ...running, folder };
    };
    const end = async (args: readonly string[], environment: NodeJS.ProcessEnv = {}) => {
      const { ended, folder } = await start(args, environment);
      const { code, stdout, stderr } = await ended;
      return { code, stderr, folder, said: JSON.parse(stdout) as Record<string, unknown> };
    };

    const frozen = await end(['freeze']);
    expect(frozen.said, frozen.stderr).toMatchObject({ state: 'frozen', rows: 2053, chunks: CHUNKS });

    const proxy = await holdingProxy((kind === 'bigquery' ? bigquery?.rest : snowflake?.url) ?? '', STAGING[kind]);
    const through = kind === 'bigquery' ? { BIGQUERY_EMULATOR_HOST: proxy.url } : { SNOWFLAKE_ACCESS_URL: proxy.url };
    const dying = await start(['score', '--shard', '1/3', '--workers', '1'], through);
    expect(await Promise.race([proxy.reached, dying.ended])).toBeUndefined();
    dying.process.kill('SIGKILL');
    expect((await dying.ended).signal).toBe('SIGKILL');
    proxy.release();

    const early = await end(['publish']);
    expect([early.code, (early.said.error as { message: string }).message]).toEqual([
      75,
      expect.stringMatching(/^chunk [\d, ]+ of 9 has no complete attempt$/),
    ]);

    const shards = await Promise.all([
      end(['score', '--shard', '2/3', '--workers', '1']),
      end(['score', '--shards', '3', '--workers', '1'], { JOB_COMPLETION_INDEX: '2' }),
    ]);
    expect(shards.map(({ code, stderr }) => (code === 0 ? 'well' : stderr))).toEqual(['well', 'well']);
    expect(shards.map(({ said }) => said.shard)).toEqual([
      { index: 2, count: 3 },
      { index: 3, count: 3 },
    ]);
    // A late process finds some of its own done by the other; between them they scored all, and what the dead one left.
    const scored = shards.reduce((sum, { said }) => sum + Number(said.chunks_scored), 0);
    expect(scored).toBeGreaterThanOrEqual(CHUNKS);

    // The one that died, started again, and another number of shards: nothing is left to score.
    for (const shard of ['1/3', '1/2']) {
      expect((await end(['score', '--shard', shard])).said).toMatchObject({ state: 'scored', chunks_scored: 0 });
    }
    const published = await end(['publish']);
    expect(published.said, published.stderr).toMatchObject({ state: 'published', chunks: CHUNKS, rows: { scored: 2053 } });
    expect(await readFile(path.join(published.folder, 'reports', 'churn-1997-W11.csv'), 'utf8')).toBe(await expectedCsv());
    expect(await leftInScratch(url)).toEqual([]);
    expect((await end(['score', '--shard', '3/3'])).said).toMatchObject({ state: 'already published' });
  },
);
