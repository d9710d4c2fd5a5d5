import path from 'node:path';
import { type LedgerWindow, runsOf } from '../domain/ledger.ts';
import { parseStoreAddress } from '../domain/store-address.ts';
import type { WindowKind } from '../domain/window.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Ledger, Sink } from '../warehouse/warehouse.ts';
import type { PageData } from './page-data.ts';
import { type IndexSpec, readIndex } from './read-listing.ts';
import { type PageSpec, readPage } from './read-page.ts';

export interface PagesSpec extends Pick<PageSpec, 'job' | 'window' | 'version'> {
  readonly sink: Sink;
  readonly ledger: Ledger;
  readonly runId: string;
  readonly every: WindowKind;
  /** The scores table as published, and the other tables of the job. */
  readonly tables: PageSpec['tables'];
  /** Absolute path of a window's page, or its address in a store. */
  readonly pageOf: (window: Pick<LedgerWindow, 'label'>) => string;
  /** Absolute path of the index page. */
  readonly index: string;
  /** Absolute path of the file with all users; undefined if there is none. */
  readonly list: string | undefined;
  /** Tells which pages exist. */
  readonly present: () => Promise<(page: string) => boolean>;
}

/**
 * Creates the page of a window and the index of all windows, from the tables and the ledger. The rendering code is loaded only
 * then.
 */
export function pagesOf(spec: PagesSpec) {
  const { sink, ledger, job, window, runId, pageOf, index, present } = spec;
  const page = pageOf(window);
  /** The page's data. */
  const data = async (): Promise<PageData> => {
    const run = runsOf(await ledger.entries({ job: job.name, window })).find((one) => one.runId === runId);
    if (run === undefined) throw new ScoreBatchError('report', `the ledger has no entry of run ${runId}`);
    const links = { index: linkFrom(page, index), list: spec.list && linkFrom(page, spec.list) };
    return await sink.read((reader) => readPage(reader, { ...spec, run, links }));
  };
  return {
    data,
    async page(): Promise<string> {
      const { renderPage } = await import('./page.ts');
      return renderPage(await data());
    },
    async index(): Promise<{ readonly entryNumber: number; readonly html: string }> {
      const isPresent = await present();
      const linkOf: IndexSpec['linkOf'] = ({ label, completed }) => {
        const file = pageOf({ label });
        // An uncompleted run is about to put its page in place, as this one does before it places the index. If only existing
        // pages had links, an index could lack the page of a run that finishes at the same time.
        return file === page || !completed || isPresent(file) ? linkFrom(index, file) : undefined;
      };
      const listing = await sink.read((reader) => readIndex(reader, { ...spec, linkOf }));
      const { renderIndex } = await import('./windows-page.ts');
      return { entryNumber: listing.entryNumber, html: renderIndex(listing) };
    },
  };
}

/** A relative URL from one file to another; undefined if they are in different stores or buckets, or if one is local. */
function linkFrom(from: string, to: string): string | undefined {
  const [here, there] = [parseStoreAddress(from), parseStoreAddress(to)];
  if (here?.scheme !== there?.scheme || here?.bucket !== there?.bucket) return undefined;
  const parts =
    here && there
      ? path.posix.relative(path.posix.dirname(`/${here.key}`), `/${there.key}`).split('/')
      : path.relative(path.dirname(from), to).split(path.sep);
  return parts.map((part) => (part === '..' ? part : encodeURIComponent(part))).join('/');
}
