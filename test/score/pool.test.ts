import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { once } from '../support/kept.ts';
import { query, repository } from '../support/project.ts';
import { scoreBatch, scoreBatchProcess } from '../support/score-batch.ts';
import { CHUNKS, CSV, runFolders, slowProject, WAREHOUSE } from '../support/steer.ts';

// In the real command line: what a pool of threads does when one of them is no more.

const PRELOAD = `--import ${pathToFileURL(repository('test', 'support', 'dying-worker.mjs'))}`;

const untouchedCsv = once(async () => {
  const folder = await slowProject();
  expect((await scoreBatch(folder, ['--week'])).code).toBe(0);
  return await readFile(path.join(folder, CSV), 'utf8');
});

describe.each<[string, string, string, string, (number | string)[]]>([
  ['an error that nobody catches', 'error', '1', 'it fell over', [1]],
  ['a heap that is full', 'heap', '', 'a worker thread exceeded its memory limit', [78]],
  // The library calls back into a thread that is gone, and ends the process: as good as a kill.
  ['a heap that is full while a library works', 'heap', '1', '', [78, 'SIGABRT']],
])('a chunk worker that dies of %s', (_, death, midway, message, ends) => {
  it('ends the run with what happened; the same command resumes, and nothing is lost or doubled', async () => {
    const folder = await slowProject();
    const died = await scoreBatchProcess(folder, ['--week', '--json', '--workers', '2'], {
      NODE_OPTIONS: PRELOAD,
      DYING_WORKER: death,
      DYING_MIDWAY: midway,
    });
    expect(died.stderr).toContain(message);
    expect(ends).toContain(died.code ?? died.signal);
    const again = await scoreBatch(folder, ['--week', '--json', '--workers', '2']);
    expect(again.code, again.stderr).toBe(0);
    const { rows, chunks_resumed: resumed } = JSON.parse(again.stdout);
    // What was staged before is not scored again: each worker's first chunk at most, and one that the other one had begun.
    expect(resumed).toBeGreaterThanOrEqual(1);
    expect(resumed).toBeLessThan(CHUNKS);
    expect(rows).toEqual({ frozen: CHUNKS * 1000, scored: CHUNKS * 995, quarantined: CHUNKS * 5 });
    const counts =
      'select count(*) as n, count(distinct user_id) as users, count(distinct run_id) as runs from marketing.scores';
    expect(await query(path.join(folder, WAREHOUSE), counts)).toEqual([
      { n: String(CHUNKS * 995), users: String(CHUNKS * 995), runs: '1' },
    ]);
    // The same bytes as of a run in which nobody died.
    expect(await readFile(path.join(folder, CSV), 'utf8')).toBe(await untouchedCsv());
    expect(await runFolders(folder)).toEqual([]);
  });
});
