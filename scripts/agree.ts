// Computes the features of one log with every implementation that runs without a warehouse, and compares the results bit by
// bit: DuckDB's SQL, the embedded windows, Flink SQL (needs Java and Maven), and the rules as a plain self-join.
//
//   npm run agree -- --events 300000 --seed 1
//
// --trap instead compares immediately computed features with SQL as of event: what a model would see if `as_of` were ignored.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { agree, trap } from '../test/event-features/agreement/agree.ts';
import type { Differences } from '../test/event-features/agreement/compare.ts';
import { runOverFiles } from '../test/flink/file-job.ts';

const { values: flags } = parseArgs({
  options: {
    events: { type: 'string', default: '300000' },
    seed: { type: 'string', default: '1' },
    'no-flink': { type: 'boolean', default: false },
    trap: { type: 'boolean', default: false },
  },
});
const log = { events: Number(flags.events), seed: Number(flags.seed) };
const folder = await mkdtemp(path.join(tmpdir(), 'score-batch-agree-'));
let differ = 0;
try {
  if (flags.trap) {
    const differences = await trap({ ...log, folder });
    print(`at once, against SQL as of event: ${summary(differences)}`);
  } else {
    for (const asOf of ['event', 'arrival'] as const) {
      const found = await agree({
        ...log,
        asOf,
        flink: asOf === 'arrival' || flags['no-flink'] ? undefined : runOverFiles,
        folder: path.join(folder, asOf),
      });
      print(`as of ${asOf}: ${log.events} records, ${JSON.stringify(found.verdicts)}`);
      for (const [form, { seconds, memory, ...differences }] of Object.entries(found.forms)) {
        const verdicts = found.verdictsThatDiffer[form];
        const shownMemory = memory === undefined ? '' : `, ${(memory / 2 ** 20).toFixed(0)} MiB`;
        const shownVerdicts = verdicts === undefined ? '' : `, ${verdicts} other verdicts`;
        print(`  ${form}: ${summary(differences)}${shownVerdicts}; ${seconds.toFixed(1)} s${shownMemory}`);
        differ += differences.different + differences.unpaired + (verdicts ?? 0);
      }
    }
    print(`${differ} rows differ`);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
if (differ > 0) process.exitCode = 1;

function summary({ rows, unpaired, different, features }: Differences): string {
  const share = ((100 * different) / rows).toFixed(2);
  const which = Object.entries(features).map(([name, found]) => `${name} ${found.rows}`);
  return `${rows} rows, ${different} differ (${share} %), ${unpaired} unpaired${which.length > 0 ? ` (${which.join(', ')})` : ''}`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
