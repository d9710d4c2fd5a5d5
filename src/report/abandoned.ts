import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { ScratchArtifact } from '../domain/scratch-artifact.ts';
import type { Scratch } from '../warehouse/warehouse.ts';
import { pendingIn } from './pending-name.ts';

/**
 * A pending file to which nobody has written for so long is taken for abandoned. Nothing tells whether its process lives; one that
 * does finds its file gone and writes it again (`writeReport`).
 */
const LIFETIME_MS = 86_400_000;

/** Pending report files, each until nobody has written to it for a day. @param template absolute path of the job's reports */
export function abandonedReportFiles(template: string): Scratch {
  return {
    async listArtifacts() {
      const left: ScratchArtifact[] = [];
      const { dir, base } = path.parse(template);
      const report = patternOf(base);
      for (const folder of await foldersOf(dir)) {
        for (const { path: name } of await pendingIn(folder, (text) => report.exec(text)?.[0].length)) {
          // It may have got its name, or have been removed, a moment ago.
          const mtimeMs = (await stat(name).catch(() => undefined))?.mtimeMs ?? Date.now();
          left.push({ name, run: undefined, deadline: new Date(mtimeMs + LIFETIME_MS).toISOString() });
        }
      }
      return left;
    },
    drop: ({ name }) => rm(name, { force: true }),
  };
}

/** The folders in which the reports of all windows are. */
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

/** Matches a name of this template at the beginning of a text, whatever its window is. */
function patternOf(template: string): RegExp {
  const parts = template.split('{window}').map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'));
  return new RegExp(`^${parts.join('[\\w+-]+(?:\\.\\d{3}Z[\\w+-]*)*')}`);
}
