import type { Due } from '../domain/deliveries.ts';
import type { LedgerWindow } from '../domain/ledger.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Job } from '../job/load.ts';
import { renderPage } from '../page/page.ts';
import type { PageData } from '../page/page-data.ts';
import { pagesOf } from '../page/pages.ts';
import { pagesSpec } from '../plan/job-pages.ts';
import type { Warehouses } from '../plan/warehouses.ts';
import { reportFiles } from '../report/place.ts';

export interface DeliverOptions extends Pick<Warehouses, 'sink' | 'ledger' | 'stores'> {
  readonly job: Job;
  readonly window: LedgerWindow;
}

/** The data that messages are made from. */
export interface Material {
  readonly data: PageData;
  /** The report page as HTML. */
  readonly page: string;
}

/**
 * Reads the current publication as the report page shows it, with two exceptions: a mail cannot be recalled, so it contains no
 * user keys, even if the job allows them on the page; and relative links to other files are left out.
 */
export async function readMaterial({ job, window, sink, ledger, stores }: DeliverOptions, { entry }: Due): Promise<Material> {
  const { columns } = entry.details;
  const { runId } = entry;
  if (columns === undefined) throw new ScoreBatchError('report', `the ledger has no columns for run ${runId}`);
  const files = reportFiles(job.definition.report, window, job.root);
  const spec = pagesSpec({ job, window, runId, sink, ledger, columns, files, stores });
  if (spec === undefined) throw new ScoreBatchError('configuration', 'delivery needs report.page');
  const data = await pagesOf({ ...spec, job: { ...spec.job, showKeys: false } }).data();
  return { data, page: renderPage({ ...data, links: { index: undefined, list: undefined } }) };
}
