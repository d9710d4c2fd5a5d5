import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { writeBundle } from '../support/challenger-project.ts';
import { repository, temporaryFolder } from '../support/project.ts';
import { scoreBatch, startScoreBatch } from '../support/score-batch.ts';
import { change, sliceProject } from '../support/slice-project.ts';
import { digestOfFiles, type FakeVersion, fakeRegistry, filesOf } from './fake-registry.ts';

const SLOW = `--import=${pathToFileURL(repository('test', 'support', 'slow-step.mjs')).href}`;

async function versionOf(folder: string): Promise<FakeVersion> {
  const files = await filesOf(folder);
  return { files, tags: { 'score_batch.digest': digestOfFiles(files) } };
}

it('a slice keeps its version only if it is resumed; a snapshot and the slices after it take what the alias leads to', async () => {
  const folder = await sliceProject({ edit: (job) => job.replace('model: model', 'model: models:/linear@champion') });
  const second = path.join(await temporaryFolder(), 'model-2');
  await writeBundle(second);
  const registry = await fakeRegistry({
    7: await versionOf(repository('test', 'fixtures', 'models', 'linear')),
    8: await versionOf(second),
  });
  registry.champion = '7';
  const environment = {
    MLFLOW_TRACKING_URI: registry.url,
    SCORE_BATCH_MODEL_CACHE: path.join(await temporaryFolder(), 'cache'),
  };
  const models = async (...flags: string[]): Promise<string[]> => {
    const { code, stdout, stderr } = await scoreBatch(folder, ['--slice', '--json', ...flags], environment);
    expect(code, stderr).toBe(0);
    const { slices } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { slices: { model: { version: string } }[] };
    return slices.map(({ model }) => model.version);
  };
  const killed = async (): Promise<void> => {
    const until = path.join(await temporaryFolder(), 'until');
    const { process: child, ended } = startScoreBatch(folder, ['--slice'], {
      ...{ ...environment, NODE_OPTIONS: SLOW, SLOW_STEP: 'query', SLOW_MS: '0', SLOW_UNTIL: until },
    });
    let over = false;
    void ended.then(() => (over = true));
    while (!existsSync(`${until}.reached`) && !over) await sleep(20);
    child.kill('SIGKILL');
    expect(await ended).toMatchObject({ signal: 'SIGKILL' });
  };
  expect(await models()).toEqual(['1']);
  await change(
    folder,
    "insert into users values (7, timestamp '1997-03-10 22:00', 1.9, 0, 'US', timestamp '1997-03-10 22:00')",
  );
  await killed();
  registry.champion = '8';
  expect(await models()).toEqual(['1', '2']);
  await change(
    folder,
    "insert into users values (8, timestamp '1997-03-10 23:00', 1.9, 0, 'US', timestamp '1997-03-10 23:00')",
  );
  await killed();
  registry.champion = '7';
  expect(await models('--snapshot')).toEqual(['1']);
});
