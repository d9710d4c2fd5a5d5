import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { readMachine } from '../../src/sizing/machine.ts';
import { temporaryFolder } from '../support/project.ts';

/** A root with the files that the kernel shows. */
async function rootWith(files: Readonly<Record<string, string>>): Promise<string> {
  const root = await temporaryFolder();
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(root, name)), { recursive: true });
    await writeFile(path.join(root, name), text);
  }
  return root;
}

const OWN = { cores: availableParallelism(), memory: Math.min(totalmem(), process.constrainedMemory() || Infinity) };
const CORES = (quota: number) => Math.min(OWN.cores, quota);

it.each<[string, Record<string, string>, { cores: number; memory: number }]>([
  ['a machine without control groups', {}, OWN],
  [
    'a group without limits',
    {
      'proc/self/cgroup': '0::/user.slice\n',
      'sys/fs/cgroup/user.slice/cpu.max': 'max 100000\n',
      'sys/fs/cgroup/user.slice/memory.max': 'max\n',
    },
    OWN,
  ],
  [
    'a container',
    { 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/cpu.max': '100000 100000\n', 'sys/fs/cgroup/memory.max': '104857600\n' },
    { cores: 1, memory: 104_857_600 },
  ],
  [
    'a container that shows the path of its host',
    { 'proc/self/cgroup': '0::/kubepods/pod1/c1\n', 'sys/fs/cgroup/cpu.max': '150000 100000\n' },
    { cores: CORES(1), memory: OWN.memory },
  ],
  [
    'a limit further up',
    { 'proc/self/cgroup': '0::/a/b\n', 'sys/fs/cgroup/a/memory.max': '5000000\n', 'sys/fs/cgroup/a/b/memory.max': '9000000\n' },
    { cores: OWN.cores, memory: 5_000_000 },
  ],
  [
    'less than a processor',
    { 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/cpu.max': '20000 100000\n' },
    { cores: 1, memory: OWN.memory },
  ],
  [
    'version 1 of control groups',
    {
      'proc/self/cgroup': '5:memory:/docker/c\n4:cpu,cpuacct:/docker/c\n1:name=systemd:/docker/c\n',
      'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '100000\n',
      'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
      'sys/fs/cgroup/memory/memory.limit_in_bytes': '200000000\n',
    },
    { cores: 1, memory: 200_000_000 },
  ],
  [
    'version 1 without limits',
    {
      'proc/self/cgroup': '4:cpu:/\n5:memory:/\n',
      'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
      'sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
    },
    OWN,
  ],
])('%s', async (_, files, expected) => {
  expect(readMachine(await rootWith(files))).toEqual(expected);
});

it('this machine has what it has', () => {
  const { cores, memory } = readMachine();
  expect(cores).toBeGreaterThanOrEqual(1);
  expect(cores).toBeLessThanOrEqual(availableParallelism());
  expect(memory).toBeGreaterThan(0);
  expect(memory).toBeLessThanOrEqual(totalmem());
});
