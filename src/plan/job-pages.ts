import { existsSync } from 'node:fs';
import type { LedgerWindow } from '../domain/ledger.ts';
import { parseStoreAddress } from '../domain/store-address.ts';
import type { TableColumn } from '../domain/tables.ts';
import { evaluationLayout, tablesByName } from '../domain/tables.ts';
import type { Job } from '../job/load.ts';
import type { PagesSpec } from '../page/pages.ts';
import { listingMark } from '../report/listing-mark.ts';
import { indexBeside, type ReportFile, reportFiles } from '../report/place.ts';
import type { Pages } from '../report/spec.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { VERSION } from '../versions.ts';
import type { Ledger, Sink } from '../warehouse/warehouse.ts';
import { tableNames } from './warehouses.ts';

export interface JobPages {
  readonly job: Job;
  readonly window: LedgerWindow;
  readonly runId: string;
  readonly sink: Sink;
  readonly ledger: Ledger;
  /** Columns of the scores table as published. */
  readonly columns: readonly TableColumn[];
  /** All report files of the window. */
  readonly files: readonly ReportFile[];
  readonly stores: Pick<ObjectStore, 'list'>;
}

/** Creates page and index of a window, if the job has a page. The code is loaded only then. */
export function jobPages(wanted: JobPages): Pages | undefined {
  const spec = pagesSpec(wanted);
  if (spec === undefined) return undefined;
  const make = async () => (await import('../page/pages.ts')).pagesOf(spec);
  return {
    page: async () => await (await make()).page(),
    async index() {
      const { entryNumber: entry, html } = await (await make()).index();
      const mark = listingMark({ job: spec.job.name, entry });
      return { entry, html: html.replace('<meta charset="utf-8">', `<meta charset="utf-8">\n${mark}`) };
    },
  };
}

/** What page and index are made from; undefined if the job has no page. */
export function pagesSpec({ job, window, runId, sink, ledger, columns, files, stores }: JobPages): PagesSpec | undefined {
  const page = files.find(({ kind }) => kind === 'page');
  if (page === undefined) return undefined;
  const { definition } = job;
  const { report, score, source, labels, gates } = definition;
  const names = tableNames(definition);
  return {
    ...{ sink, ledger, window, runId },
    pageOf: (other) =>
      reportFiles({ page: report.page }, other, job.root).find(({ kind }) => kind === 'page')?.path ?? page.path,
    job: {
      ...{ name: definition.name, description: definition.description, nouns: report.nouns, zone: definition.time_zone },
      ...{ minCell: report.min_cell, scoreColumn: score.column, bands: score.bands, segments: report.segments },
      ...{ key: source.key, showKeys: report.page_keys, usdPerTib: source.usd_per_tib },
      ...{ labelDays: labels?.after, maxFeaturePsi: gates.max_feature_psi },
    },
    version: VERSION,
    every: definition.every,
    tables: {
      ...tablesByName(names, score.column, definition.sink.layout),
      scores: { name: names.scores, columns },
      evaluation: names.evaluation && evaluationLayout(names.evaluation),
    },
    index: indexBeside(page.path),
    present: () => presentPages(report.page ?? '', stores),
    list: files.find(({ kind }) => kind === 'csv')?.path ?? files.find(({ kind }) => kind === 'xlsx')?.path,
  };
}

/** Tests which pages exist. Pages in a store are listed in one go. @param template of the pages */
async function presentPages(template: string, stores: JobPages['stores']): Promise<(page: string) => boolean> {
  const address = parseStoreAddress(template);
  if (address === undefined) return existsSync;
  const [key = ''] = address.key.split('{window}');
  const names = await stores.list({ ...address, key });
  return (page) => names.has(parseStoreAddress(page)?.key ?? '');
}
