import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { closedPort, lineageServer } from '../support/lineage-server.ts';
import { linearProject } from '../support/linear-project.ts';
import { temporaryFolder } from '../support/project.ts';
import { scoreBatch, scoreBatchProcess } from '../support/score-batch.ts';

const REFUSED = 'min_rows: 1000';

/** What lineage says on stderr in a run that publishes, and in one that gates refuse, with the exit codes that they have without it. */
async function warnings(environment: NodeJS.ProcessEnv): Promise<string[]> {
  const said: string[] = [];
  for (const [limit, code] of [['min_rows: 1', 0] as const, [REFUSED, 65] as const]) {
    const folder = await linearProject({ edit: (job) => job.replace('min_rows: 1', limit) });
    const outcome = await scoreBatch(folder, ['--week'], environment);
    expect(outcome.code, outcome.stderr).toBe(code);
    said.push(...outcome.stderr.split('\n').filter((line) => /lineage/i.test(line)));
  }
  return said;
}

const twice = (line: string) => [line, line];

it('a server that hangs changes nothing but a warning, and is told both events', async () => {
  const { url, events } = await lineageServer(() => undefined);
  expect(await warnings({ OPENLINEAGE_URL: url })).toEqual(
    twice(`warning: 2 of 2 lineage events were not sent to ${url}: it did not answer in time`),
  );
  expect(events().map(({ eventType }) => eventType)).toEqual(expect.arrayContaining(['START', 'COMPLETE', 'FAIL']));
});

it('a server that answers 500 changes nothing but a warning', async () => {
  const { url } = await lineageServer(() => 500);
  expect(await warnings({ OPENLINEAGE_URL: url })).toEqual(
    twice(`warning: 2 of 2 lineage events were not sent to ${url}: it answered 500`),
  );
});

it('a server that refuses the key changes nothing but a warning, which does not have the key', async () => {
  const { url, received } = await lineageServer(() => 401);
  const said = await warnings({
    OPENLINEAGE_URL: url.replace('//', '//user:password@'),
    OPENLINEAGE_API_KEY: 'key-of-lineage',
  });
  expect(said).toEqual(twice(`warning: 2 of 2 lineage events were not sent to ${url}: it answered 401`));
  expect(received[0]?.authorization).toBe('Bearer key-of-lineage');
});

it('a server that is not there changes nothing but a warning', async () => {
  const url = `http://127.0.0.1:${await closedPort()}`;
  expect(await warnings({ OPENLINEAGE_URL: url })).toEqual(
    twice(`warning: 2 of 2 lineage events were not sent to ${url}: ECONNREFUSED`),
  );
});

it.each([
  ['no url', 'warning: lineage is not sent: OPENLINEAGE_URL is not an http or https URL'],
  ['http://', 'warning: lineage is not sent: OPENLINEAGE_URL is not an http or https URL'],
])('OPENLINEAGE_URL=%s changes nothing but a warning', async (url, warning) => {
  expect(await warnings({ OPENLINEAGE_URL: url })).toEqual(twice(warning));
});

it('a parent that cannot be read is left out, with a warning', async () => {
  const { url, events } = await lineageServer();
  const said = await warnings({ OPENLINEAGE_URL: url, OPENLINEAGE_PARENT_ID: 'weekly' });
  expect(said).toEqual(
    twice(
      'warning: lineage is sent without a parent run: OPENLINEAGE_PARENT_ID does not have the form namespace/name/run, with a UUID as run',
    ),
  );
  expect(events()[0]?.run.facets.parent).toBeUndefined();
});

it('a run without OPENLINEAGE_URL, or with OPENLINEAGE_DISABLED, loads nothing of lineage', async () => {
  const { url, received } = await lineageServer();
  const loads = async (environment: NodeJS.ProcessEnv): Promise<boolean> => {
    const coverage = await temporaryFolder();
    const outcome = await scoreBatchProcess(await linearProject(), ['-q', '--week'], {
      ...{ NODE_V8_COVERAGE: coverage, OPENLINEAGE_URL: undefined },
      ...environment,
    });
    expect(outcome.code, outcome.stderr).toBe(0);
    const reports = await Promise.all((await readdir(coverage)).map((name) => readFile(path.join(coverage, name), 'utf8')));
    return reports.some((report) => report.includes('"functionName":"lineageObserver"'));
  };
  expect(await loads({})).toBe(false);
  expect(await loads({ OPENLINEAGE_URL: url, OPENLINEAGE_DISABLED: 'true' })).toBe(false);
  expect(received).toEqual([]);
  expect(await loads({ OPENLINEAGE_URL: url })).toBe(true);
  expect(received).toHaveLength(2);
});
