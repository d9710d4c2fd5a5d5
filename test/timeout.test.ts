import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { linearProject } from './support/linear-project.ts';
import { repository, statements } from './support/project.ts';
import { ledger } from './support/publication.ts';
import { scoreBatchProcess } from './support/score-batch.ts';
import { WAREHOUSE } from './support/steer.ts';

/** Never true in the time of a test while `big` has rows: they are joined with themselves. */
const BUSY = '(select count(*) from big x, big y where hash(x.i + y.i) % 7 = 8) = 0';

async function busyProject(): Promise<string> {
  const query = `select user_id, a, b, country from users where signup >= :window_start_date and signup < :window_end_date and ${BUSY}`;
  const folder = await linearProject({ query });
  await statements(path.join(folder, WAREHOUSE), ['create table big as select i from range(10_000_000) as big(i)']);
  return folder;
}

it('ends a run at its deadline with 69, records it in the ledger, and the same command resumes', {
  timeout: 180_000,
}, async () => {
  const folder = await busyProject();
  const { code, stdout, stderr } = await scoreBatchProcess(folder, ['--week', '--json', '--timeout', '1h'], {
    NODE_OPTIONS: `--import ${pathToFileURL(repository('test', 'support', 'deadline.mjs'))}`,
    DEADLINE_AT: 'COPY .*from big x',
  });
  expect(code, stderr).toBe(69);
  expect(stderr).toMatch(/error: ended by --timeout 1h\n {2}job .*\nhint: allow more time, or run the same command again/);
  expect(JSON.parse(stdout)).toMatchObject({
    error: { kind: 'unavailable', exit_code: 69, message: 'ended by --timeout 1h' },
  });
  const entries = await ledger(folder);
  expect(entries).toMatchObject([{ state: 'started' }, { state: 'failed', error: 'ended by --timeout 1h' }]);

  await statements(path.join(folder, WAREHOUSE), ['delete from big']);
  const again = await scoreBatchProcess(folder, ['--timeout', '2h', '--week', '--json']);
  expect(again.code, again.stderr).toBe(0);
  expect(JSON.parse(again.stdout)).toMatchObject({ run_id: entries[0]?.run_id });
});

it.each(['5', '0s', '-1s', 'soon', '481h', '1d'])('refuses a deadline of %s', async (text) => {
  const { code, stderr } = await scoreBatchProcess(await linearProject(), ['status', `--timeout=${text}`]);
  expect(stderr).toContain("option '--timeout <duration>' argument");
  expect(stderr).toContain('such as 90s, 30m or 2h');
  expect(code).toBe(64);
});
