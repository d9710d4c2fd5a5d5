// Part of the image's build: `node slim.js node_modules` removes files that no run reads, and prints their size.
import { readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { type Reason, unneeded } from './unneeded.ts';

const [modules = 'node_modules'] = process.argv.slice(2);
const removed = new Map<Reason | 'kept', { files: number; bytes: number }>();

for (const file of readdirSync(modules, { recursive: true, withFileTypes: true })) {
  if (!file.isFile()) continue;
  const whole = path.join(file.parentPath, file.name);
  const reason = unneeded(path.relative(modules, whole), process, hasLicence(file.parentPath));
  const sum = removed.get(reason ?? 'kept') ?? { files: 0, bytes: 0 };
  removed.set(reason ?? 'kept', { files: sum.files + 1, bytes: sum.bytes + statSync(whole).size });
  if (reason !== undefined) rmSync(whole);
}
for (const [reason, { files, bytes }] of [...removed].sort(([, one], [, other]) => other.bytes - one.bytes)) {
  process.stdout.write(`${(bytes / 1e6).toFixed(1).padStart(7)} MB, ${String(files).padStart(5)} files: ${reason}\n`);
}

/** Whether the package that contains a folder has a licence file. */
function hasLicence(folder: string): boolean {
  const [root = ''] = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(folder) ?? [];
  return root !== '' && readdirSync(root).some((name) => /^(?:licen[cs]e|copying)/i.test(name));
}
