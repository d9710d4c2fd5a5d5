import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { expect, it } from 'vitest';
import type { LedgerEntry } from '../../src/domain/ledger.ts';
import type { ReportSpec } from '../../src/report/spec.ts';
import { writeReport } from '../../src/report/write.ts';
import type { ObjectMark } from '../../src/store/mark.ts';
import type { ObjectStore, Upload } from '../../src/store/object-store.ts';

// What no store that is started for a test does at the moment that counts.

const WINDOW = { label: '1997-W11', start: '1997-03-10', end: '1997-03-17', kind: 'week' } as const;
const CSV = 's3://reports/churn.csv';
const PAGE = 's3://reports/churn.html';

function published(runId: string, publication: number): LedgerEntry {
  const rows = { frozen: 1, scored: 1, quarantined: 0 };
  const model = { name: 'm', version: '1', digest: 'd' };
  const run = { runId, job: 'churn', window: WINDOW, fingerprint: 'f', model, rows };
  return { ...run, recordedAt: '', state: 'published', publication, host: 'h', details: {} };
}

/** Objects whose version is a hash of their content, as in S3. */
class Objects implements ObjectStore {
  readonly all = new Map<string, { readonly text: string; readonly mark: ObjectMark }>();
  /** Called once, before the next put, in place of which it may answer. */
  meanwhile: (upload: Upload) => Promise<'changed' | undefined> = async () => undefined;

  async look({ key }: { readonly key: string }) {
    const there = this.all.get(key);
    return there && { version: createHash('md5').update(there.text).digest('hex'), mark: there.mark };
  }

  async put(address: { readonly key: string }, upload: Upload) {
    const { meanwhile } = this;
    this.meanwhile = async () => undefined;
    const answer = await meanwhile(upload);
    if (answer !== undefined) return answer;
    if ((await this.look(address))?.version !== upload.version) return 'changed' as const;
    this.all.set(address.key, { text: await readFile(upload.file, 'utf8'), mark: upload.mark });
    return 'in place' as const;
  }

  async mayWrite() {}

  async list() {
    return new Set(this.all.keys());
  }
}

/** Writes the report of a run whose page shows the number of publications, and whose list shows the run. */
async function report(runId: string, stores: Objects, entries: LedgerEntry[], kinds: readonly ('csv' | 'page')[] = ['csv']) {
  const spec = {
    ...{ runId, job: 'churn', window: WINDOW, reserved: [], rows: 1, csvBom: false, stores, force: false },
    files: kinds.map((kind) => ({ kind, path: kind === 'csv' ? CSV : PAGE })),
    scores: { columns: ['window_label', 'rank', 'percentile', 'decile', 'band'].map((name) => ({ name, type: 'text' })) },
    signal: new AbortController().signal,
    pages: { page: async () => `${entries.length} publications` },
    sink: {
      async *published() {
        yield { complete: true, lines: [Buffer.from(`${runId}\n`)] };
      },
    },
    ledger: {
      entries: async () => [...entries],
      decide: async (_: object, decide: (found: LedgerEntry[]) => Promise<{ result: unknown }>) =>
        (await decide([...entries])).result,
    },
  } as unknown as ReportSpec;
  await writeReport(spec, () => undefined);
}

it('is told when a superseded publication has replaced bytes that a rollback has put back', async () => {
  const stores = new Objects();
  const entries = [published('first', 1)];
  await report('first', stores, entries);
  const first = stores.all.get('churn.csv')?.text;
  entries.push(published('second', 2));
  stores.meanwhile = async () => {
    entries.push(published('first', 3));
    await report('first', stores, entries);
    expect(stores.all.get('churn.csv')).toMatchObject({ text: first, mark: { publication: 3 } });
    return undefined;
  };
  await expect(report('second', stores, entries)).rejects.toMatchObject({
    kind: 'report',
    message: `the object ${CSV} holds superseded publication 2; publication 3 is the current one`,
    hint: 'run `score-batch report` for 1997-W11 once no other run is writing it',
  });
  await report('first', stores, entries);
  expect(stores.all.get('churn.csv')).toMatchObject({ text: first, mark: { publication: 3 } });
});

it('is left to the newer writer that has replaced it already', async () => {
  const stores = new Objects();
  const entries = [published('first', 1)];
  stores.meanwhile = async () => {
    entries.push(published('second', 2));
    await report('second', stores, entries);
    return undefined;
  };
  await expect(report('first', stores, entries)).rejects.toMatchObject({ kind: 'conflict' });
  expect(stores.all.get('churn.csv')).toMatchObject({ mark: { publication: 2 } });
});

it('is made again, page and all, if its run is published again meanwhile', async () => {
  const stores = new Objects();
  const entries = [published('first', 1)];
  stores.meanwhile = async () => {
    entries.push(published('second', 2), published('first', 3));
    return undefined;
  };
  await report('first', stores, entries, ['csv', 'page']);
  expect(stores.all.get('churn.csv')).toMatchObject({ mark: { publication: 3 } });
  expect(stores.all.get('churn.html')).toMatchObject({ text: '3 publications', mark: { publication: 3 } });
});

it('is taken for its own after a lost answer, though the same content was there before', async () => {
  const stores = new Objects();
  await report('first', stores, [published('first', 1)]);
  const entries = [published('first', 1), published('second', 2), published('first', 3)];
  let puts = 0;
  stores.meanwhile = async ({ file, mark }) => {
    puts += 1;
    stores.all.set('churn.csv', { text: await readFile(file, 'utf8'), mark });
    // A second request finds what the first one has put there, so no further put may follow.
    stores.meanwhile = async () => {
      puts += 1;
      return undefined;
    };
    return 'changed';
  };
  await report('first', stores, entries);
  expect([puts, stores.all.get('churn.csv')]).toMatchObject([1, { mark: { publication: 3 } }]);
});

it('is tried again after a refusal, and made again if its draft vanishes during an upload', async () => {
  const stores = new Objects();
  const entries = [published('first', 1)];
  stores.meanwhile = async ({ file }) => {
    stores.meanwhile = async () => {
      await rm(file);
      return undefined;
    };
    return 'changed';
  };
  await report('first', stores, entries);
  expect(stores.all.get('churn.csv')).toMatchObject({ mark: { publication: 1 } });
});
