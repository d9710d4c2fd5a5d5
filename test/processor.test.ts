import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { processorKind } from '../src/processor.ts';
import { temporaryFolder } from './support/project.ts';

it('names the instruction sets that choose kernels, and the architecture alone where nothing lists them', async () => {
  const file = path.join(await temporaryFolder(), 'cpuinfo');
  await writeFile(file, 'processor\t: 0\nflags\t\t: fpu avx2 sse4_2 avx512f avx\n\nprocessor\t: 1\nflags\t\t: fpu\n');
  expect(processorKind(file)).toBe(`${process.arch} avx avx2 avx512f`);
  await writeFile(file, 'processor\t: 0\nFeatures\t: fp asimd asimddp\n');
  expect(processorKind(file)).toBe(`${process.arch} asimddp`);
  expect(processorKind(`${file}.missing`)).toBe(process.arch);
});
