import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { linearProject } from '../support/linear-project.ts';
import { statements } from '../support/project.ts';
import { NONE, tableDifferences } from '../support/publication.ts';
import { ledgerStates } from '../support/published.ts';
import { scoreBatch } from '../support/score-batch.ts';
import { CSV, copyProject, runFolders, WAREHOUSE } from '../support/steer.ts';

async function phase(folder: string, ...args: string[]) {
  const { code, stdout, stderr } = await scoreBatch(folder, [...args, '--week', '--json']);
  return { code, stderr, said: JSON.parse(stdout) as Record<string, unknown> };
}

const message = (said: Record<string, unknown>) => (said.error as { message: string }).message;

describe('freeze, score and publish', () => {
  it('do together what run does, and the same again', async () => {
    const whole = await linearProject();
    const parts = await copyProject(whole);
    expect((await scoreBatch(whole, ['--week'])).code).toBe(0);

    expect((await phase(parts, 'freeze')).said).toMatchObject({ state: 'frozen', rows: 100, chunks: 10 });
    // The source moves on; what is frozen does not.
    await statements(path.join(parts, WAREHOUSE), ['delete from users']);
    expect((await phase(parts, 'freeze')).said).toMatchObject({ state: 'frozen', rows: 100, chunks: 10 });
    const scored = { state: 'scored', shard: { index: 1, count: 1 }, chunks: 10 };
    expect((await phase(parts, 'score')).said).toMatchObject({ ...scored, chunks_scored: 10, rows_scored: 100 });
    expect((await phase(parts, 'score')).said).toMatchObject({ ...scored, chunks_scored: 0, rows_scored: 0 });
    const published = await phase(parts, 'publish');
    expect(published.said).toMatchObject({ state: 'published', rows: { frozen: 100 }, chunks: 10, providers: { cpu: 10 } });

    expect(await tableDifferences(parts, whole)).toEqual(NONE);
    expect(await readFile(path.join(parts, CSV), 'utf8')).toBe(await readFile(path.join(whole, CSV), 'utf8'));
    expect(await runFolders(parts)).toEqual([]);
    // A scheduler that did not hear the answer asks again.
    for (const name of ['score', 'publish']) {
      const { code, said } = await phase(parts, name);
      expect([code, said.state, said.run_id]).toEqual([0, 'already published', published.said.run_id]);
    }
    expect(await ledgerStates(parts)).toEqual(['started', 'started', 'started', 'started', 'published', 'completed']);
  });

  it('ask for a frozen run of the same job file', async () => {
    const folder = await linearProject();
    for (const name of ['score', 'publish']) {
      const { code, said } = await phase(folder, name);
      expect([code, message(said)]).toEqual([75, 'nothing is frozen for 1997-W11 with this job file, query and model']);
    }
    expect((await phase(folder, 'freeze')).code).toBe(0);
    const { code, stderr } = await phase(folder, 'score', '--require-gpu');
    expect(code, stderr).toBe(78);
    const publish = await phase(folder, 'publish', '--require-gpu');
    expect(publish.code).toBe(75);
    expect(publish.stderr).toMatch(/unfinished, with another job file, query or model: run 1997-W11-\w+, which began at/);
  });

  it('publish nothing while a chunk is missing', async () => {
    const folder = await linearProject();
    expect((await phase(folder, 'freeze')).code).toBe(0);
    const { code, said } = await phase(folder, 'publish');
    expect(code).toBe(75);
    expect(message(said)).toBe('chunk 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 of 10 has no complete attempt');
    expect(await ledgerStates(folder)).toEqual(['started', 'started', 'failed']);
  });

  it('skip a window without rows where they are told to', async () => {
    const folder = await linearProject({
      users: 'select 1 as user_id, current_date as signup, 0.5 as a, 0.5 as b, null as country',
    });
    expect((await phase(folder, 'freeze', '--skip-empty')).code).toBe(99);
    expect((await phase(folder, 'freeze')).code).toBe(0);
    expect((await phase(folder, 'score')).code).toBe(0);
    expect((await phase(folder, 'publish')).code).toBe(65);
  });

  it('are refused in shards where the run lies on one machine', async () => {
    const folder = await linearProject();
    const { code, said } = await phase(folder, 'score', '--shard', '1/2');
    expect([code, message(said)]).toEqual([
      78,
      'a DuckDB file is local to one machine, so its windows cannot be scored in shards',
    ]);
  });
});

it('a start that is concurrent with a young unfinished run of another model or query says so and continues', async () => {
  const folder = await linearProject();
  expect((await phase(folder, 'freeze')).code).toBe(0);
  const job = path.join(folder, 'jobs', 'job.yaml');
  const other = (await readFile(job, 'utf8')).replace('chunk_rows: 10', 'chunk_rows: 20');
  await writeFile(job, other);
  const { code, stderr } = await scoreBatch(folder, ['--week']);
  expect(code, stderr).toBe(0);
  expect(stderr).toMatch(/warning: run 1997-W11-\w+, which began at .* \(America\/New_York\) on .*, has not finished/);
});

describe('what ended badly', () => {
  it('is not taken for done by a scheduler that asks again', async () => {
    const folder = await linearProject();
    expect((await scoreBatch(folder, ['--week'])).code).toBe(0);
    await statements(path.join(folder, WAREHOUSE), ['delete from users']);
    for (const [name, code] of [
      ['freeze', 0],
      ['score', 0],
      ['publish', 65],
      ['publish', 65],
      ['score', 65],
    ] as const) {
      expect([name, (await phase(folder, name)).code]).toEqual([name, code]);
    }
    const { stderr } = await phase(folder, 'publish', '--allow-empty');
    expect(stderr).toMatch(
      /error: run 1997-W11-\w+ was refused: 1997-W11 was not published: .*\n {2}job .*\nhint: .*score-batch freeze/,
    );
  });

  it('of another job file is passed over with --skip-published, where the window is published', async () => {
    const folder = await linearProject();
    expect((await scoreBatch(folder, ['--week'])).code).toBe(0);
    const job = path.join(folder, 'jobs', 'job.yaml');
    await writeFile(job, (await readFile(job, 'utf8')).replace('chunk_rows: 10', 'chunk_rows: 20'));
    expect((await phase(folder, 'score')).code).toBe(75);
    for (const name of ['freeze', 'score', 'publish']) {
      expect((await phase(folder, name, '--skip-published')).said).toMatchObject({ state: 'already published' });
    }
  });
});
