import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { LedgerEntry, RunState } from '../../src/domain/ledger.ts';
import { createPending } from '../../src/report/file.ts';
import { listingMark } from '../../src/report/listing-mark.ts';
import type { ReportSpec } from '../../src/report/spec.ts';
import { writeReport } from '../../src/report/write.ts';
import { temporaryFolder } from '../support/project.ts';

const RUN = '1997-W11-000000000001';
const WINDOW = { label: '1997-W11', start: '1997-03-10', end: '1997-03-17', kind: 'week' } as const;

function entry(state: RunState): LedgerEntry {
  const model = { name: 'm', version: '1', digest: 'd' };
  const base = {
    recordedAt: '',
    runId: RUN,
    job: 'churn',
    window: WINDOW,
    state,
    fingerprint: 'f',
    model,
    host: 'h',
    details: {},
  };
  return state === 'published' ? { ...base, publication: 1, rows: { frozen: 1, scored: 1, quarantined: 0 } } : base;
}

/** A report of one CSV file. @param reading runs whenever its rows are read */
function specOf(folder: string, entries: LedgerEntry[], reading: () => Promise<void> = async () => undefined): ReportSpec {
  return {
    files: [{ kind: 'csv', path: path.join(folder, 'churn.csv') }],
    csvBom: false,
    runId: RUN,
    job: 'churn',
    window: WINDOW,
    reserved: [],
    rows: 1,
    scores: { columns: ['window_label', 'rank', 'percentile', 'decile', 'band'].map((name) => ({ name, type: 'text' })) },
    signal: new AbortController().signal,
    sink: {
      async *published() {
        await reading();
        yield { complete: true, lines: [Buffer.from('mine\n')] };
      },
    },
    ledger: {
      entries: async () => [...entries],
      decide: async (_: object, decide: (found: LedgerEntry[]) => Promise<{ append?: LedgerEntry; result: unknown }>) => {
        const { append, result } = await decide([...entries]);
        if (append) entries.push(append);
        return result;
      },
    },
  } as unknown as ReportSpec;
}

/** A report of a publication in its own folder; `meanwhile` runs when its rows are read for the first time. */
async function reporting(meanwhile: (file: string, entries: LedgerEntry[]) => Promise<void>) {
  const folder = await temporaryFolder();
  const file = path.join(folder, 'churn.csv');
  const entries = [entry('published')];
  let reads = 0;
  const spec = specOf(folder, entries, async () => {
    reads += 1;
    if (reads === 1) await meanwhile(file, entries);
  });
  await writeReport(spec, () => entry('completed'));
  return { reads, states: entries.map(({ state }) => state), files: await readdir(folder), text: await readFile(file, 'utf8') };
}

it('accepts the report that another process of the run has put in place meanwhile', async () => {
  const found = await reporting(async (file, entries) => {
    const other = await createPending(file, { number: 1, runId: RUN });
    await other.write('theirs\n');
    await other.finish();
    await other.replace();
    entries.push(entry('completed'));
    await other.removeOthers();
  });
  expect(found).toEqual({ reads: 1, states: ['published', 'completed'], files: ['churn.csv'], text: 'theirs\n' });
});

it('writes the report again if the pending file is gone and no report is in place', async () => {
  const { text, ...found } = await reporting(async (file) => {
    const [pending = ''] = await readdir(path.dirname(file));
    await rm(path.join(path.dirname(file), pending));
  });
  expect(found).toEqual({ reads: 2, states: ['published', 'completed'], files: ['churn.csv'] });
  expect(text).toMatch(/mine\n$/);
});

describe('several files', () => {
  const MARKED = (entry: number) => ({ entry, html: `<head>${listingMark({ job: 'churn', entry })}</head>` });

  /** A report of a CSV file, a page and the index. @param change of the spec, given the folder and the ledger's entries */
  async function several(change: (folder: string, entries: LedgerEntry[]) => Partial<ReportSpec>) {
    const folder = await temporaryFolder();
    const entries = [entry('published')];
    const files = (['csv', 'page', 'index'] as const).map((kind) => ({ kind, path: path.join(folder, `${kind}.x`) }));
    const pages = { page: async () => 'the page', index: async () => MARKED(7) };
    const spec = { ...specOf(folder, entries), files, pages, ...change(folder, entries) };
    const outcome = await writeReport(spec, () => entry('completed')).then(
      () => 'written',
      (error: Error) => error.message.replaceAll(folder, ''),
    );
    return { outcome, states: entries.map(({ state }) => state), files: (await readdir(folder)).sort() };
  }

  it('are put in place with one entry', async () => {
    const written = { outcome: 'written', states: ['published', 'completed'], files: ['csv.x', 'index.x', 'page.x'] };
    expect(await several(() => ({}))).toEqual(written);
  });

  it('are none of them put in place if one cannot be made', async () => {
    const failing = async () => {
      throw new Error('no page');
    };
    const none = { outcome: 'no page', states: ['published'], files: [] };
    expect(await several(() => ({ pages: { page: failing, index: async () => MARKED(7) } }))).toEqual(none);
    expect(await several(() => ({ pages: { page: async () => '', index: failing } }))).toEqual(none);
  });

  it('are none of them put in place if another run is published before', async () => {
    const other = { ...entry('published'), runId: '1997-W11-000000000002', publication: 2 };
    const found = await several((_, entries) => ({
      pages: {
        page: async () => {
          entries.push(other);
          return 'the page';
        },
        index: async () => MARKED(7),
      },
    }));
    expect(found).toMatchObject({
      outcome: expect.stringContaining('another run published 1997-W11 in the meantime'),
      files: [],
    });
  });

  it('have the index made again, and nothing else, while another process has a newer one', async () => {
    let made = 0;
    const found = await several((folder) => ({
      pages: {
        page: async () => {
          made += 100;
          return `page ${made}`;
        },
        index: async () => {
          made += 1;
          // A window that finishes at the same time: its pending index is there, and it has not been renamed.
          if (made === 101) await createPending(path.join(folder, 'index.x'), { number: 8, runId: '1997-W12-000000000009' });
          return MARKED(made === 101 ? 7 : 8);
        },
      },
    }));
    expect(made).toBe(102);
    expect(found).toEqual({ outcome: 'written', states: ['published', 'completed'], files: ['csv.x', 'index.x', 'page.x'] });
  });

  it('are left to the newer process if an index stays behind', async () => {
    const found = await several((folder) => ({
      pages: {
        page: async () => '',
        index: async () => {
          await createPending(path.join(folder, 'index.x'), { number: 99, runId: '1997-W12-000000000009' });
          return MARKED(7);
        },
      },
    }));
    expect(found).toMatchObject({ outcome: 'written', states: ['published', 'completed'] });
    expect(found.files).not.toContain('index.x');
  });

  it('are refused before anything is written if a sheet cannot have all users', async () => {
    const found = await several((folder) => ({
      rows: 1_048_576,
      files: [{ kind: 'xlsx', path: path.join(folder, 'w.xlsx') }],
    }));
    expect(found).toEqual({
      outcome: 'the report /w.xlsx cannot hold 1,048,576 users: a sheet has at most 1,048,575 rows below its header',
      states: ['published'],
      files: [],
    });
  });
});
