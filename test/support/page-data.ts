import { currentPublication, ledgerWindow, runsOf } from '../../src/domain/ledger.ts';
import { loadJob } from '../../src/job/load.ts';
import type { PageData } from '../../src/page/page-data.ts';
import { pagesOf } from '../../src/page/pages.ts';
import { pagesSpec } from '../../src/plan/job-pages.ts';
import { openWarehouses } from '../../src/plan/warehouses.ts';
import { reportFiles } from '../../src/report/place.ts';
import { createConsole } from '../../src/terminal/console.ts';
import { type WindowFlags, windowFromFlags } from '../../src/window/flags.ts';

/** What the page of a published window shows, read from the tables and the ledger as a run reads it. */
export async function readPageData(folder: string, flags: WindowFlags, environment: NodeJS.ProcessEnv = {}): Promise<PageData> {
  const closing: (() => Promise<void>)[] = [];
  const subject = {};
  try {
    const job = await loadJob(undefined, folder, { ...process.env, ...environment });
    const { sink, ledger, stores } = await openWarehouses(job, {
      ...{ folder, environment: { ...process.env, ...environment }, subject, now: 0, began: 0, maxMemory: undefined },
      console: createConsole({ verbosity: 'quiet', json: false, stream: process.stderr, subject }),
      signal: new AbortController().signal,
      serving: () => undefined,
      atEnd: (work) => void closing.push(work),
    });
    const window = ledgerWindow(windowFromFlags(flags, job.definition.time_zone, 0));
    const entries = await ledger.entries({ job: job.definition.name, window });
    const runId = currentPublication(entries)?.runId ?? '';
    const columns = runsOf(entries).find((run) => run.runId === runId)?.details.columns ?? [];
    const files = reportFiles(job.definition.report, window, job.root);
    const spec = pagesSpec({ job, window, runId, sink, ledger, columns, files, stores });
    if (spec === undefined) throw new Error('the job has no page');
    return await pagesOf(spec).data();
  } finally {
    for (const close of closing) await close();
  }
}
