import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { ScratchArtifact } from '../domain/scratch-artifact.ts';
import type { Scratch } from '../warehouse/warehouse.ts';
import { pendingIn } from './pending-name.ts';

/**
 * A pending file that was not written to for this long counts as abandoned. Whether its process is alive cannot be known; if
 * it is, it finds its file gone and writes it again (`writeReport`).
 */
const LIFETIME_MS = 86_400_000;

/**
 * Pending report files, each with a deadline one day after its last write.
 *
 * @param template absolute path of the job's reports
 */
export function abandonedReportFiles(template: string): Scratch {
  return {
    async listArtifacts() {
      const left: ScratchArtifact[] = [];
      const { dir, base } = path.parse(template);
      const report = patternOf(base);
      for (const folder of await foldersOf(dir)) {
        for (const { path: name } of await pendingIn(folder, (text) => report.exec(text)?.[0].length)) {
          // It may have been renamed or removed a moment ago.
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

/** Matches a name of this template at the start of a text, for any window. */
function patternOf(template: string): RegExp {
  const parts = template.split('{window}').map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'));
  return new RegExp(`^${parts.join('[\\w+-]+(?:\\.\\d{3}Z[\\w+-]*)*')}`);
}
