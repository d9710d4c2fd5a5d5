import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { LINEAR_USERS, linearProject } from '../support/linear-project.ts';
import { query, statements } from '../support/project.ts';
import { scoreBatch, startScoreBatch } from '../support/score-batch.ts';
import { type Bucket, newBucket, type Scheme } from './bucket.ts';

const WAREHOUSE = 'data/warehouse.duckdb';
const HALVED = ['update users set a = a / 2'];

/** A job with report files of these kinds in a new bucket. */
async function storedProject(scheme: Scheme, kinds: readonly string[] = ['csv'], users = LINEAR_USERS) {
  const bucket = await newBucket(scheme);
  const lines = kinds.map((kind) => `  ${kind}: ${bucket.url}/weekly/linear-{window}.${kind === 'page' ? 'html' : kind}`);
  // With keys, the page has a link to the list.
  const text = [...lines, '  page_keys: true'].join('\n');
  const folder = await linearProject({ users, edit: (job) => job.replace(/ {2}csv: .*/, text) });
  const call = (...args: string[]) => scoreBatch(folder, args, bucket.environment());
  const states = async () =>
    (await query(path.join(folder, WAREHOUSE), 'select state from marketing.score_batch_ledger order by entry_number')).map(
      ({ state }) => state,
    );
  return { bucket, folder, call, states };
}

const CSV = 'weekly/linear-1997-W11.csv';

async function csvOf(bucket: Bucket): Promise<string[]> {
  return ((await bucket.get(CSV))?.body.toString() ?? '').split('\n');
}

/** A server of the store behind a proxy that holds the first matching request; it closes with the test. */
async function holding(bucket: Bucket, when: RegExp) {
  let reach: () => void = () => undefined;
  let release: () => void = () => undefined;
  const reached = new Promise<void>((resolve) => {
    reach = resolve;
  });
  const released = new Promise<undefined>((resolve) => {
    release = () => resolve(undefined);
  });
  let held = false;
  const plan = (text: string) => {
    if (held || !when.test(text)) return undefined;
    held = true;
    reach();
    return released;
  };
  const proxy = await startFaultProxy(bucket.endpoint, plan, 0, 'client');
  onTestFinished(proxy.close);
  return { environment: bucket.environment(proxy.url), reached, release: () => release() };
}

/** The request that puts an object in place. */
const PUT_CSV = /^(PUT [^\n]*linear-1997-W11\.csv|POST [^\n]*\/upload\/[^\n]*uploadType=multipart[^\n]*linear-1997-W11\.csv)/;

describe.skipIf(inject('stores') === undefined /* global-setup.ts says why */).each(['s3', 'gs'] as const)('%s', (scheme) => {
  it('has the bytes of local files, page and index with links, and remakes and rolls back what is there', async () => {
    const { bucket, folder, call } = await storedProject(scheme, ['csv', 'parquet', 'xlsx', 'page']);
    const local = await linearProject({
      edit: (job) =>
        job.replace(
          'csv: reports/linear-{window}.csv',
          'csv: r/{window}.csv\n  parquet: r/{window}.parquet\n  xlsx: r/{window}.xlsx',
        ),
    });
    expect((await scoreBatch(local, ['--week'])).code).toBe(0);
    expect(await call('check')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`${bucket.url}/weekly/linear-{window}.csv`),
    });
    expect(await bucket.keys()).toEqual([]);
    expect(await call('--week')).toMatchObject({ code: 0 });
    for (const kind of ['csv', 'parquet', 'xlsx']) {
      const found = await bucket.get(`weekly/linear-1997-W11.${kind}`);
      // Compared outside of expect, since a diff of bytes is useless.
      expect(found?.body.equals(await readFile(path.join(local, 'r', `1997-W11.${kind}`))), kind).toBe(true);
    }
    const found = await bucket.get(CSV);
    expect(found).toMatchObject({
      type: 'text/csv; charset=utf-8',
      metadata: { 'score-batch-job': 'linear', 'score-batch-publication': '1' },
    });
    const page = await bucket.get('weekly/linear-1997-W11.html');
    expect(page?.body.toString()).toContain('href="./linear-1997-W11.csv"');
    expect(page?.body.toString()).toContain('href="./index.html"');
    expect((await bucket.get('weekly/index.html'))?.body.toString()).toContain('href="./linear-1997-W11.html"');
    const first = await csvOf(bucket);
    await statements(path.join(folder, WAREHOUSE), HALVED);
    expect((await call('--week', '--fresh')).code).toBe(0);
    expect(await csvOf(bucket)).not.toEqual(first);
    expect((await call('rollback', '--week', '1997-W11', '--reason', 'wrong')).code).toBe(0);
    expect(await csvOf(bucket)).toEqual(first);
    expect((await bucket.get(CSV))?.metadata['score-batch-publication']).toBe('3');
    expect((await call('report', '--week')).code).toBe(0);
    expect(await bucket.keys()).toHaveLength(5);
    const erased = await call('erase', '--key', '37', '--reason', 'asked', '--json');
    expect(erased.code).toBe(0);
    expect(erased.stdout).toContain('keeps what is replaced or deleted');
    expect((await csvOf(bucket)).filter((line) => line.split(',')[1] === '37' || line.startsWith('37,'))).toEqual([]);
    expect(await csvOf(bucket)).toHaveLength(first.length - 1);
    expect((await bucket.get(CSV))?.metadata['score-batch-erasures']).toBe('1');
    expect(await call('gc')).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing behind') });
  });

  it('refuses what another writer or job has put there before a row moves, and replaces it with --force', async () => {
    const { bucket, folder, call } = await storedProject(scheme);
    await bucket.put(CSV, 'by hand');
    const refused = await call('--week');
    expect(refused).toMatchObject({ code: 78 });
    expect(refused.stderr).toContain(`${bucket.url}/${CSV} already exists, and this job did not write it`);
    expect(refused.stderr).toContain('or replace it with --force');
    expect(
      await query(
        path.join(folder, WAREHOUSE),
        "select table_name from information_schema.tables where table_schema = 'marketing'",
      ),
    ).toEqual([]);
    expect((await call('--week', '--force')).code).toBe(0);
    expect(await csvOf(bucket)).toHaveLength(102);
    // The same address, of another job: first with its own ledger, then with the same name in another warehouse.
    for (const name of ['other', 'linear']) {
      const other = await linearProject({
        edit: (job) =>
          job.replace('name: linear', `name: ${name}`).replace(/csv: .*/, `csv: ${bucket.url}/weekly/linear-{window}.csv`),
      });
      expect((await scoreBatch(other, ['--week'], bucket.environment())).code).toBe(78);
    }
    expect((await call('--week', '--fresh')).code).toBe(0);
  });

  it('finishes by the same command after a kill between two files, and between the last file and the entry', async () => {
    for (const when of [/^(PUT|POST) [^\n]*linear-1997-W11\.html/, /^(PUT|POST) [^\n]*index\.html/]) {
      const { bucket, folder, call, states } = await storedProject(scheme, ['csv', 'page']);
      // Requests that list or begin an upload are none that put an object in place.
      const proxy = await holding(bucket, new RegExp(`${when.source}(?![^\\n]*uploads)(?![^\\n]*uploadType=resumable)`));
      const running = startScoreBatch(folder, ['--week'], proxy.environment);
      await proxy.reached;
      running.process.kill('SIGKILL');
      proxy.release();
      await running.ended;
      expect(await bucket.keys()).toContain(CSV);
      expect(await states()).toEqual(['started', 'published']);
      expect(await call('--week')).toMatchObject({ code: 0 });
      expect(await states()).toEqual(['started', 'published', 'completed']);
      expect(await bucket.keys()).toEqual(['weekly/index.html', CSV, 'weekly/linear-1997-W11.html']);
      expect((await call('gc', '--apply')).code).toBe(0);
    }
  });

  it('takes a file for its own whose answer was lost', async () => {
    const { bucket, folder, states } = await storedProject(scheme);
    let cut = false;
    const plan = (text: string) => {
      if (cut || !PUT_CSV.test(text)) return undefined;
      cut = true;
      return 'cut after' as const;
    };
    const proxy = await startFaultProxy(bucket.endpoint, plan, 0, 'client');
    onTestFinished(proxy.close);
    expect(await scoreBatch(folder, ['--week'], bucket.environment(proxy.url))).toMatchObject({ code: 0 });
    expect(proxy.injected.get('cut after')).toBe(1);
    expect([await states(), (await csvOf(bucket)).length]).toEqual([['started', 'published', 'completed'], 102]);
  });

  it('is never put in place by an older writer that stood still while a newer one published', async () => {
    const { bucket, folder, call, states } = await storedProject(scheme);
    const proxy = await holding(bucket, PUT_CSV);
    const older = startScoreBatch(folder, ['--week'], proxy.environment);
    await proxy.reached;
    await statements(path.join(folder, WAREHOUSE), HALVED);
    expect((await call('--week', '--fresh')).code).toBe(0);
    const newer = await csvOf(bucket);
    proxy.release();
    const { code, stderr } = await older.ended;
    expect({ code, stderr }).toEqual({
      code: 75,
      stderr: expect.stringContaining('another run published 1997-W11 in the meantime'),
    });
    expect(await csvOf(bucket)).toEqual(newer);
    expect((await bucket.get(CSV))?.metadata['score-batch-publication']).toBe('2');
    expect((await states()).filter((state) => state === 'completed')).toHaveLength(1);
  });

  it('leaves alone what another writer puts there between look and put', async () => {
    const { bucket, folder, call, states } = await storedProject(scheme);
    const proxy = await holding(bucket, PUT_CSV);
    const running = startScoreBatch(folder, ['--week'], proxy.environment);
    await proxy.reached;
    await bucket.put(CSV, 'by hand');
    proxy.release();
    const { code, stderr } = await running.ended;
    expect(code).toBe(74);
    expect(stderr).toContain('already exists, and this job did not write it');
    expect(stderr).toContain('the scores are published');
    expect([(await bucket.get(CSV))?.body.toString(), await states()]).toEqual(['by hand', ['started', 'published']]);
    expect((await call('report', '--week', '--force')).code).toBe(0);
    expect([(await csvOf(bucket)).length, (await states()).at(-1)]).toEqual([102, 'completed']);
  });
});

/** A CSV file of more than 8 MiB, which is sent in pieces. */
const MANY = LINEAR_USERS.replace('range(100)', 'range(250000)');

// Without the servers, of which global-setup.ts says why they are not there.
describe.skipIf(inject('stores') === undefined)('a large file', () => {
  it('over S3 leaves neither object nor parts if the store dies in the middle, and no object after a kill', async () => {
    const { bucket, folder, call, states } = await storedProject('s3', ['csv'], MANY);
    const dead = await startFaultProxy(
      bucket.endpoint,
      (text) => (/^PUT [^\n]*partNumber=2/.test(text) ? '503' : undefined),
      0,
      'client',
    );
    onTestFinished(dead.close);
    const failed = await scoreBatch(folder, ['--week'], bucket.environment(dead.url));
    expect(failed).toMatchObject({ code: 74, stderr: expect.stringContaining('the scores are published') });
    expect([await bucket.keys(), await bucket.unfinished(), await states()]).toEqual([[], 0, ['started', 'published']]);
    const proxy = await holding(bucket, /^PUT [^\n]*partNumber=2/);
    const running = startScoreBatch(folder, ['--week'], proxy.environment);
    await proxy.reached;
    running.process.kill('SIGKILL');
    await running.ended;
    // Parts that only a lifecycle rule removes: docs/object-stores.md.
    expect([await bucket.keys(), await bucket.unfinished()]).toEqual([[], 1]);
    expect((await call('--week')).code).toBe(0);
    expect([await csvOf(bucket), (await states()).at(-1)]).toEqual([expect.objectContaining({ length: 250_002 }), 'completed']);
  });

  it('over Google leaves no object after a kill in the middle', async () => {
    const { bucket, folder, call, states } = await storedProject('gs', ['csv'], MANY);
    const proxy = await holding(bucket, /^POST [^\n]*uploadType=resumable[^\n]*\n.*score-batch-run/);
    const running = startScoreBatch(folder, ['--week'], proxy.environment);
    await proxy.reached;
    running.process.kill('SIGKILL');
    proxy.release();
    await running.ended;
    expect(await bucket.keys()).toEqual([]);
    expect((await call('--week')).code).toBe(0);
    expect([await csvOf(bucket), (await states()).at(-1)]).toEqual([expect.objectContaining({ length: 250_002 }), 'completed']);
  });
});
