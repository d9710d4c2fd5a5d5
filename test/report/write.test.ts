import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import type { LedgerEntry, RunState } from '../../src/domain/ledger.ts';
import { createPending } from '../../src/report/file.ts';
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

/** A report of a publication in its own folder; `meanwhile` runs when its rows are read for the first time. */
async function reporting(meanwhile: (file: string, entries: LedgerEntry[]) => Promise<void>) {
  const folder = await temporaryFolder();
  const file = path.join(folder, 'churn.csv');
  const entries = [entry('published')];
  let reads = 0;
  const spec = {
    files: [{ kind: 'csv', path: file }],
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
        reads += 1;
        if (reads === 1) await meanwhile(file, entries);
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
