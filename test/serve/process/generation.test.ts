import { expect, it } from 'vitest';
import { startGeneration, type Upkeep } from '../../../src/serve/process/generation.ts';
import type { LoadedModel } from '../../../src/serve/process/messages.ts';
import { settingsOf } from '../served.ts';
import { type FakeAnswering, fakeAnswering } from './fake-answering.ts';

const model = (name: string, maxRows: number, digest = 'd'): LoadedModel => ({
  name,
  version: '1',
  digest,
  definitionDigest: 'e',
  sameBits: true,
  largestDifference: 0,
  maxRows,
});

/** A generation of two processes. @param loads what each process loads, in the order in which they are started */
async function started(loads: readonly (readonly LoadedModel[])[], changed: () => Promise<void> = async () => undefined) {
  const processes: FakeAnswering[] = [];
  const warnings: string[] = [];
  const failures: Error[] = [];
  const upkeep: Upkeep = {
    console: { warn: (message) => void warnings.push(message) },
    start() {
      const process = fakeAnswering(loads[processes.length]);
      processes.push(process);
      return process;
    },
    lost: () => undefined,
    changed,
    gone: (error) => void failures.push(error),
  };
  const settings = settingsOf([], { processes: 2 });
  const generation = await startGeneration(settings, upkeep, new AbortController().signal);
  await generation.listen();
  return { generation, processes, warnings, failures };
}

it('tells each process the fewest rows that any of them measured, and those that are started later the same', async () => {
  const { processes } = await started([
    [model('a', 4096), model('b', 512)],
    [model('a', 8192), model('b', 256)],
    [model('a', 1024), model('b', 1024)],
  ]);
  expect(processes.map(({ told }) => told)).toEqual([['listen 4096,256'], ['listen 4096,256']]);
  processes[0]?.end();
  await expect.poll(() => processes[2]?.told).toEqual(['listen 4096,256']);
});

it('replaces a lost process also after a reload that was refused', async () => {
  let reloads = 0;
  const loads = [[model('a', 2)], [model('a', 2)], [model('a', 2, 'changed')], [model('a', 2)]];
  const { processes, warnings } = await started(loads, async () => {
    reloads += 1;
  });
  processes[1]?.end();
  await expect.poll(() => processes[3]?.told, { timeout: 5000 }).toEqual(['listen 2']);
  expect(processes[2]?.told).toEqual(['kill']);
  expect(reloads).toBe(1);
  expect(warnings.at(-1)).toBe('the bundles on disk have changed: replacing all processes');
});

it('starts no further process where the reload has taken over', async () => {
  const loads = [[model('a', 2)], [model('a', 2)], [model('a', 2, 'changed')], [model('a', 2)]];
  let leave: (() => Promise<void>) | undefined;
  const { generation, processes, failures } = await started(loads, async () => await leave?.());
  leave = () => generation.leave('replaced');
  processes[1]?.end();
  await expect.poll(() => processes[0]?.told).toEqual(['listen 2', 'replaced']);
  await new Promise((resolve) => setTimeout(resolve, 700));
  expect(processes).toHaveLength(3);
  expect(failures).toEqual([]);
});
