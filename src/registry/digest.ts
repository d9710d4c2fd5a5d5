import { createHash } from 'node:crypto';
import type { BundleDefinition } from '../model/bundle-schema.ts';

/** Paths of a bundle's files: what a version must have, and what is downloaded. */
export function bundleFiles({ golden, baseline_rows }: Pick<BundleDefinition, 'golden' | 'baseline_rows'>): readonly string[] {
  return [...new Set(['model.yaml', 'model.onnx', golden.file, ...(baseline_rows ? [baseline_rows.file] : [])])];
}

/**
 * The digest of a bundle: SHA-256 of one line per file, sorted by path, in the format of `sha256sum`.
 *
 * @param files path → SHA-256, hex
 * @returns SHA-256, hex
 */
export function digestOf(files: ReadonlyMap<string, string>): string {
  const sorted = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(sorted.map(([path, digest]) => `${digest}  ${path}\n`).join(''))
    .digest('hex');
}
