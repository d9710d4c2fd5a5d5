import { createHash } from 'node:crypto';
import type { BundleDefinition } from '../model/bundle-schema.ts';

/** The files of a bundle by their paths in it: what a version must have, and what is downloaded. */
export function bundleFiles({ golden, baseline_rows }: Pick<BundleDefinition, 'golden' | 'baseline_rows'>): readonly string[] {
  return [...new Set(['model.yaml', 'model.onnx', golden.file, ...(baseline_rows ? [baseline_rows.file] : [])])];
}

/**
 * The digest of a bundle: of a line per file, sorted by path, as `sha256sum` prints it.
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
