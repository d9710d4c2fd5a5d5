import { createHash } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { publishedIn } from '../crash/aftermath.ts';
import { missing } from '../crash/project.ts';
import type { Fate } from '../support/breaking-proxy.ts';
import { faultsByChance } from '../support/fault-proxy.ts';
import { disturbed, expectedOf, type Remote, untilPublished } from './disturbed.ts';

// Started by scripts/chaos-faults.ts, which says what it is.

interface Wanted {
  readonly faults: number;
  readonly seed: number;
  readonly kinds: readonly Remote[];
}

const wanted = JSON.parse(process.env.CHAOS ?? '{"faults":0,"seed":0,"kinds":[]}') as Wanted;

/** Of a request to fail; of a connection to the Storage API to break. */
const PROBABILITY = 0.2;
const STORAGE_PROBABILITY = 0.3;
/** Bytes after which a connection to the Storage API breaks, at most: what a read of this job has. */
const STORAGE_BYTES = 6000;
/** Runs until one ends well, at most; most do at once. */
const MAX_RUNS = 30;

describe.each(wanted.kinds)('%s', (kind) => {
  const share = wanted.faults / wanted.kinds.length;
  const told = { windows: 0, runs: 0, differences: 0, faults: 0 };
  const injected = new Map<string, number>();
  const count = (fault: string, times: number) => {
    injected.set(fault, (injected.get(fault) ?? 0) + times);
    told.faults += times;
  };

  afterAll(() => {
    const faults = [...injected].sort().map(([name, times]) => `${name} ${times}`);
    const parts = Object.entries(told).map(([name, value]) => `${name} ${value}`);
    process.stdout.write(`${kind} · seed ${wanted.seed} · ${parts.join(' · ')}\n  ${faults.join(' · ')}\n`);
  });

  it('publishes what an uninterrupted run publishes, whatever breaks', { timeout: 0 }, async ({ skip }) => {
    skip(missing[kind], 'the emulator is not there');
    const expected = await expectedOf(kind);
    const found: string[] = [];
    while (told.faults < share) {
      told.windows += 1;
      const name = `${wanted.seed} ${kind} ${told.windows}`;
      const random = randomOf(name);
      const project = await disturbed(
        kind,
        faultsByChance(random, PROBABILITY),
        storageFate(kind, randomOf(`${name} storage`)),
      );
      try {
        told.runs += (await untilPublished(project, MAX_RUNS)).length;
        expect(await publishedIn(project)).toEqual(expected);
      } catch (error) {
        told.differences += 1;
        found.push(`window ${told.windows}: ${error instanceof Error ? error.message : String(error)}`);
      }
      for (const [fault, times] of project.proxy.injected) count(fault, times);
      count('broken reads', project.broken());
      process.stdout.write(`${name}: ${told.runs} runs and ${told.faults} faults so far\n`);
      project.close();
    }
    expect(found).toEqual([]);
  });
});

function storageFate(kind: Remote, random: () => number): Fate | undefined {
  if (kind !== 'bigquery') return undefined;
  return () => {
    if (random() >= STORAGE_PROBABILITY) return undefined;
    return { after: Math.floor(random() * STORAGE_BYTES), end: random() < 0.5 ? 'cut' : 'stall' };
  };
}

/** Numbers from 0 to 1 that are the same for the same seed. */
function randomOf(seed: string): () => number {
  let n = 0;
  return () => {
    n += 1;
    return createHash('sha256').update(`${seed} ${n}`).digest().readUInt32BE() / 2 ** 32;
  };
}
