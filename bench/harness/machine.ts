import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import path from 'node:path';

/** Where figures were taken; they are meaningless without it. */
export interface MachineFacts {
  /** ISO date. */
  readonly date: string;
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  readonly onnxruntime: string;
  readonly duckdb: string;
  /** Load average over one minute. */
  readonly loadAtStart: number;
}

/** @param root the repository */
export function machineFacts(root: string): MachineFacts {
  const version = (name: string) => {
    const text = readFileSync(path.join(root, 'node_modules', name, 'package.json'), 'utf8');
    return (JSON.parse(text) as { readonly version: string }).version;
  };
  return {
    date: new Date().toISOString(),
    cores: availableParallelism(),
    cpu: cpus()[0]?.model ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.versions.node,
    onnxruntime: version('onnxruntime-node'),
    duckdb: version('@duckdb/node-api'),
    loadAtStart: loadavg()[0] ?? Number.NaN,
  };
}

export function showMachine(facts: MachineFacts): string {
  return (
    `${facts.date.slice(0, 16).replace('T', ' ')} UTC · ${facts.cores} cores of ${facts.cpu} · ${facts.memoryGiB} GiB · Linux ${facts.kernel} · ` +
    `Node ${facts.node} · onnxruntime ${facts.onnxruntime} · DuckDB ${facts.duckdb} · load at start ${facts.loadAtStart.toFixed(2)}`
  );
}
