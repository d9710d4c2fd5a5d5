import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Context } from '../context.ts';
import { systemCode } from '../errors.ts';
import type { ObservedEnd, ObservedRun, RunObserver } from '../observe/observer.ts';
import { replaceFile } from '../replaced-file.ts';
import { afterRun } from './after-run.ts';
import { readSeries, textOf } from './metrics.ts';

const VARIABLE = 'SCORE_BATCH_METRICS_FILE';

/**
 * Writes metrics of a job's runs to a file per job, after each run, for the textfile collector of Prometheus' node_exporter.
 * The file is the only memory: counts and the last success carry over from it.
 *
 * @param pattern path of the file, with `{job}` for the job's name
 */
export function metricsFileObserver(pattern: string, console: Pick<Context['console'], 'warn'>): RunObserver {
  // One at a time: each reads what the previous one wrote.
  let written = Promise.resolve();
  const said = new Set<string>();
  const warn = (problem: string): void => {
    if (!said.has(problem)) console.warn(`the metrics were not written: ${problem}`);
    said.add(problem);
  };
  return {
    needsNoPublication: true,
    began: () => undefined,
    ended(run, end) {
      written = written.then(() => write(pattern, run, end)).catch((error: unknown) => warn(messageOf(error)));
    },
    close: () => written,
  };
}

async function write(pattern: string, run: ObservedRun, end: ObservedEnd): Promise<void> {
  const job = run.plan.job.definition.name;
  const file = path.resolve(pattern.replaceAll('{job}', job));
  const before = readSeries(await textIn(file), job);
  if (before === undefined)
    throw new Error(
      `${file} holds something other than the metrics of ${job}; add {job} to the path in ${VARIABLE}, or remove the file`,
    );
  await replaceFile(file, textOf(afterRun(before, run, end)), `check ${VARIABLE}`);
}

async function textIn(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return '';
    throw error;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
