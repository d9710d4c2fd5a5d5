import { rm } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { linearProject } from './support/linear-project.ts';
import { repository, temporaryFolder } from './support/project.ts';
import { scoreBatchProcess } from './support/score-batch.ts';

const JSON_LOG = { SCORE_BATCH_LOG: 'json' };

it('with SCORE_BATCH_LOG=json every line of stderr is an object, the summary and errors included', async () => {
  const folder = await linearProject();
  const good = await scoreBatchProcess(folder, ['--week'], JSON_LOG);
  const said = good.stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(said.at(-1)).toMatchObject({ level: 'info', summary: { state: 'published', rows: { scored: 100 } } });

  await rm(path.join(folder, 'data/warehouse.duckdb'));
  const bad = await scoreBatchProcess(folder, ['--week', '--json'], JSON_LOG);
  expect(bad.code).toBe(78);
  const error = {
    kind: 'configuration',
    exit_code: 78,
    message: expect.stringContaining('does not exist'),
    hint: expect.any(String),
    job: 'linear',
    window: '1997-W11',
    run_id: null,
  };
  expect(
    bad.stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual([{ time: expect.any(String), level: 'error', details: [], ...error }]);
  expect(JSON.parse(bad.stdout)).toEqual({ schema: 'score-batch/error/1', error: { details: [], ...error } });
});

it.each([
  [
    'a log format that there is not',
    ['status'],
    { SCORE_BATCH_LOG: 'xml' },
    64,
    'SCORE_BATCH_LOG=xml is not a valid log format',
  ],
  ['a folder that there is not', ['-C', 'nowhere', 'status'], {}, 64, 'nowhere does not exist'],
  [
    'a memory that is not a size',
    ['--week'],
    { SCORE_BATCH_MEMORY: '10' },
    64,
    'SCORE_BATCH_MEMORY=10 is not a valid memory size',
  ],
])('refuses %s', async (_, args, environment, code, said) => {
  const outcome = await scoreBatchProcess(await linearProject(), args, environment);
  expect(outcome.code).toBe(code);
  expect(outcome.stderr).toContain(said);
  expect(outcome.stderr).toMatch(/^hint: /m);
});

it('status and report of a warehouse that is not there are no good news', async () => {
  const folder = await linearProject();
  await rm(path.join(folder, 'data/warehouse.duckdb'));
  for (const args of [['status'], ['report', '--week']]) {
    const { code, stderr } = await scoreBatchProcess(folder, args);
    expect({ code, stderr }).toEqual({ code: 78, stderr: expect.stringContaining('warehouse.duckdb does not exist') });
  }
});

it('a bare model file is inspected into a model.yaml to begin with', async () => {
  const folder = await temporaryFolder();
  const file = repository('test/fixtures/models/linear/model.onnx');
  const { code, stdout } = await scoreBatchProcess(folder, ['model', 'inspect', file]);
  expect(code).toBe(0);
  expect(stdout).toContain('sha256: e147a59d862d193f24e0dce9501e081c8ed3a0f3f34e1e892ec39a6fed0ff165\n');
  expect(stdout).toContain('  - name: features          # float32[N, 2]\n    dtype: float32\n    shape: [N, 2]\n');
  expect(stdout).toContain('output: { name: score, index: 0 }');
});
