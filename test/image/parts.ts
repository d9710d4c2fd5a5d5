import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Buildah } from './buildah.ts';

const MODULES = 'opt/score-batch/node_modules';

/** The largest first: what a file belongs to is the first that its path begins with. */
const PARTS: readonly (readonly [part: string, folder: string])[] = [
  ['Node', 'usr/local/bin/node'],
  ['DuckDB', `${MODULES}/@duckdb/`],
  ['ONNX Runtime', `${MODULES}/onnxruntime-`],
  ['other packages', MODULES],
  ['score-batch itself', 'opt/score-batch/'],
  ['Debian, tini', ''],
];

/** A table of what takes how much of an image, in megabytes (1,000,000 bytes) of files. */
export async function partsOf(buildah: Buildah, image: string): Promise<string> {
  const container = await buildah('from', '--pull-never', image);
  try {
    const folder = await buildah('mount', container);
    const sizes = new Map(PARTS.map(([part]) => [part, 0]));
    for (const [file, size] of await filesOf(folder)) {
      const part = PARTS.find(([, start]) => file.startsWith(start))?.[0] ?? '';
      sizes.set(part, (sizes.get(part) ?? 0) + size);
    }
    const all = [...sizes, ['all', [...sizes.values()].reduce((sum, size) => sum + size, 0)] as const];
    return all.map(([part, size]) => `${(size / 1e6).toFixed(1).padStart(7)} MB ${part}\n`).join('');
  } finally {
    await buildah('rm', container);
  }
}

/** Sizes in bytes of the plain files below a folder, by path inside it; one with several names counts once. */
export async function filesOf(folder: string): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  const seen = new Set<number>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    const { size, ino, nlink } = await stat(file);
    if (nlink > 1 && seen.has(ino)) continue;
    seen.add(ino);
    sizes.set(path.relative(folder, file), size);
  }
  return sizes;
}
