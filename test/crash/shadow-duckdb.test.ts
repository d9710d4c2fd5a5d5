import { describe, expect, it } from 'vitest';
import { once } from '../support/kept.ts';
import { sampled } from '../support/sample.ts';
import { scoreBatch } from '../support/score-batch.ts';
import { appendEntry, LATER, rowsOf, shadowProject, slicesUntil } from '../support/shadow-project.ts';
import { keptCopy, projectCopy } from './copied.ts';
import type { Phase } from './effects.ts';
import { type CrashPoint, run } from './kill.ts';

// Comparison and switch of slices in shadow, killed around each durable effect: the same command again leaves one comparison, no
// rows that were compared, and one switch.

const PHASES: readonly Phase[] = ['before', 'during', 'after'];

const EFFECTS = {
  compare: [
    ['the entry', /^duckdb INSERT INTO \S+"score_batch_ledger" .*'compared'/],
    ['the rows', /^duckdb DELETE FROM \S+"current_boundary" /],
  ],
  promote: [
    ['the view', /^duckdb CREATE VIEW /],
    ['the entry', /^duckdb INSERT INTO \S+"score_batch_ledger" .*'switched'/],
  ],
} as const;

const KILLS = Object.entries(EFFECTS).flatMap(([command, effects]) =>
  effects.flatMap(([name, pattern]) => PHASES.map((phase) => ({ command, name, pattern, phase }))),
);

const prepared = once(async () => {
  const folder = await shadowProject({ edit: (job) => job.replace('comparisons: 2', 'comparisons: 1') });
  const { code, stderr } = await scoreBatch(folder, ['--week', '1997-W11'], { SCORE_BATCH_NOW: LATER });
  expect(code, stderr).toBe(0);
  await slicesUntil(folder, '1997-W11');
  await appendEntry(folder, {});
  return await keptCopy({ folder });
});

async function stateOf(folder: string) {
  return {
    entries: await rowsOf(
      folder,
      "select state, window_label, count(*) from marketing.score_batch_ledger where state in ('compared', 'switched') group by all",
    ),
    rows: await rowsOf(folder, 'select count(*) from marketing.current_boundary'),
    shown: await rowsOf(folder, 'select origin, count(*) from marketing.shown group by all'),
  };
}

describe('slices in shadow on DuckDB', () => {
  it.for(sampled(KILLS, ({ command, name, phase }) => `shadow ${command} ${name} ${phase}`))(
    '$command killed $phase $name',
    { timeout: 300_000 },
    async ({ command, pattern, phase }) => {
      const project = await projectCopy(await prepared());
      const commands = ['compare', 'promote'].map((one) => [one, '--shadow', '--json']);
      let killed = false;
      for (const [i, args] of commands.entries()) {
        if (args[0] === command) {
          const point: CrashPoint = { pattern, phase, occurrence: 1 };
          const { signal, stderr } = await run(project, point, args);
          expect(signal, stderr).toBe('SIGKILL');
          killed = true;
        }
        const again = await run(project, undefined, commands[i]);
        expect(again.code, again.stderr).toBe(0);
      }
      expect(killed).toBe(true);
      expect(await stateOf(project.folder)).toEqual({
        entries: ['["compared","1997-W11","1"]', '["switched","current","1"]'],
        rows: ['["0"]'],
        shown: ['["current","70"]'],
      });
    },
  );
});
