import { randomBytes } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Database, openDatabase } from '../../../src/duckdb/database.ts';
import { openBigquery } from '../../../src/warehouse/bigquery/open.ts';
import { DEFAULT_TIMEOUTS } from '../../../src/warehouse/timeouts.ts';
import type { Warehouse } from '../../../src/warehouse/warehouse.ts';
import { type Fate, startBreakingProxy } from '../../support/breaking-proxy.ts';
import { temporaryFolder } from '../../support/project.ts';
import { environment, REAL } from './subject.ts';

const emulator = REAL === undefined ? environment() : undefined;
const ROWS = 50_000;
const QUERY = {
  name: 'jobs/query.sql',
  texts: [
    `select i as user_id, concat('a text of more than twelve bytes ', cast(i as string)) as text, if(mod(i, 3) = 0, null, i / 7) as ratio
     from unnest(generate_array(0, ${ROWS - 1})) as i`,
  ],
  parameters: [],
};

function open(project: string, storage: string | undefined, signal = new AbortController().signal): Warehouse {
  return openBigquery(
    {
      url: `bigquery://${project}/home?location=EU`,
      job: 'job',
      root: '/',
      scratch: 'home',
      memory: 1e9,
      maxBytes: undefined,
      environment: { ...emulator, BIGQUERY_STORAGE_EMULATOR_HOST: storage },
      warn: () => undefined,
      signal,
    },
    { ...DEFAULT_TIMEOUTS, attempts: 3, pause: 5, silence: 2000 },
  );
}

/** Reads a frozen table of one chunk through a proxy. @returns rows, distinct keys, values and longest text of what was read */
async function readThrough(fate: Fate, signal?: AbortSignal): Promise<{ result: unknown; connections: number }> {
  const project = `read-${randomBytes(6).toString('hex')}`;
  const storage = emulator?.BIGQUERY_STORAGE_EMULATOR_HOST ?? '';
  const direct = open(project, storage);
  const columns = await direct.source.describe(QUERY);
  const frozen = await direct.source.freeze(QUERY, {
    runId: 'run',
    key: columns.slice(0, 1),
    columns,
    chunkRows: 1e6,
    hash: 'md5',
  });
  const proxy = await startBreakingProxy(storage, fate);
  onTestFinished(proxy.close);
  await using database: Database = await openDatabase(':memory:', {
    threads: 1,
    memory: 1e9,
    temporary: await temporaryFolder(),
  });
  await open(project, proxy.host, signal).source.loadChunk(frozen, 0, database);
  const [result] = await database.rows(
    "select count(*), count(distinct user_id), count(ratio), max(length(text)), bool_and(text = concat('a text of more than twelve bytes ', user_id)) from chunk",
  );
  return { result: result?.map(String), connections: proxy.connections() };
}

const WHOLE = [ROWS, ROWS, ROWS - Math.ceil(ROWS / 3), 38].map(String).concat('true');

// Without an emulator; the last line of the output says why there is none.
describe.skipIf(emulator === undefined)('a read through the Storage API', () => {
  it('that nothing disturbs has every row once', async () => {
    expect(await readThrough(() => undefined)).toEqual({ result: WHOLE, connections: 1 });
  });

  it('that breaks in the middle starts over on a new connection', async () => {
    const broken = await readThrough((nth) => (nth === 1 ? { after: 500_000, end: 'cut' } : undefined));
    expect(broken.result).toEqual(WHOLE);
    expect(broken.connections).toBeGreaterThan(1);
  });

  it('in which nothing arrives any more starts over on a new connection', async () => {
    const silent = await readThrough((nth) => (nth === 1 ? { after: 500_000, end: 'stall' } : undefined));
    expect(silent).toEqual({ result: WHOLE, connections: 2 });
  });

  it('that never gets through is said to be unavailable', async () => {
    const never = readThrough(() => ({ after: 500_000, end: 'stall' }));
    await expect(never).rejects.toMatchObject({ kind: 'unavailable', hint: expect.any(String) });
  });

  it('ends when the run is stopped, in its reason', async () => {
    const interruption = new AbortController();
    const reason = new Error('told to');
    const stopped = readThrough(() => {
      interruption.abort(reason);
      return { after: 0, end: 'stall' };
    }, interruption.signal);
    await expect(stopped).rejects.toBe(reason);
  });
});
