import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { REPORT_KINDS, type ReportTemplates } from '../domain/report-kind.ts';
import type { ScratchArtifact } from '../domain/scratch-artifact.ts';
import { isStoreAddress } from '../domain/store-address.ts';
import type { Scratch } from '../warehouse/warehouse.ts';
import { abandonedDrafts } from './draft.ts';
import { pendingIn } from './pending-name.ts';
import { indexBeside } from './place.ts';

/**
 * A pending file not written to for this long counts as abandoned. Whether its process is alive cannot be known; if it is, it
 * finds its file gone and writes it again (`writeReport`).
 */
const LIFETIME_MS = 86_400_000;

/**
 * Unfinished report files of a job, of every kind that it has: pending files beside their places, and drafts of objects on this
 * machine.
 *
 * @param what `rows` leaves out the index, which has no rows
 */
export function abandonedReports(
  { name, report }: { readonly name: string; readonly report: ReportTemplates },
  root: string,
  what: 'all' | 'rows',
): Scratch[] {
  const { page } = report;
  const index = page === undefined || what === 'rows' ? undefined : indexBeside(page);
  const found = [...REPORT_KINDS.map((kind) => report[kind]), index].filter((template) => template !== undefined);
  const local = found.filter((template) => !isStoreAddress(template));
  return [
    ...local.map((template) => abandonedReportFiles(path.resolve(root, template))),
    ...(local.length < found.length ? [abandonedDrafts(name)] : []),
  ];
}

/**
 * Pending report files, each with a deadline one day after its last write.
 *
 * @param template absolute path of the job's reports
 */
function abandonedReportFiles(template: string): Scratch {
  return {
    async listArtifacts() {
      const left: ScratchArtifact[] = [];
      const { dir, base } = path.parse(template);
      const report = patternOf(base);
      for (const folder of await foldersOf(dir)) {
        for (const { path: name } of await pendingIn(folder, (text) => report.exec(text)?.[0].length)) {
          // It may just have been renamed or removed.
          const mtimeMs = (await stat(name).catch(() => undefined))?.mtimeMs ?? Date.now();
          left.push({ name, run: undefined, deadline: new Date(mtimeMs + LIFETIME_MS).toISOString() });
        }
      }
      return left;
    },
    drop: ({ name }) => rm(name, { force: true }),
  };
}

/** The folders of the reports of all windows. */
async function foldersOf(template: string): Promise<string[]> {
  const { root } = path.parse(template);
  let folders = [root];
  for (const part of template.slice(root.length).split(path.sep)) {
    const inside = async (folder: string): Promise<string[]> => {
      if (!part.includes('{window}')) return [path.join(folder, part)];
      const names = await readdir(folder).catch(() => []);
      return names.filter((name) => patternOf(part).exec(name)?.[0] === name).map((name) => path.join(folder, name));
    };
    folders = (await Promise.all(folders.map(inside))).flat();
  }
  return folders;
}

/** Matches a name of this template at the start of a string, for any window. */
function patternOf(template: string): RegExp {
  const parts = template.split('{window}').map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'));
  return new RegExp(`^${parts.join('[\\w+-]+(?:\\.\\d{3}Z[\\w+-]*)*')}`);
}
