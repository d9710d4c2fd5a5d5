import { readFileSync } from 'node:fs';

interface PackageFile {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

const own = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as PackageFile;

/** Version of score-batch. */
export const VERSION = own.version;

/** Versions that can change a score. Dependencies are pinned exactly, so package.json has the installed versions. */
export const VERSIONS: Readonly<Record<string, string>> = {
  'score-batch': own.version,
  node: process.versions.node,
  onnxruntime: own.dependencies['onnxruntime-node'] ?? 'unknown',
  duckdb: own.dependencies['@duckdb/node-bindings'] ?? 'unknown',
};
