import { spawn } from 'node:child_process';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import type { RunEvent } from '../../src/lineage/facets.ts';
import { virtualEnvironment } from '../emulators/virtual-environment.ts';
import { facetsOf, officialErrors } from './official-schemas.ts';
import { SCENARIOS } from './scenarios.ts';

const told = Object.entries(SCENARIOS) as [keyof typeof SCENARIOS, (typeof SCENARIOS)['published']][];

/** Reads events into the classes of the official client; see official.py. */
async function readByClient(python: string, events: readonly RunEvent[]): Promise<unknown> {
  const child = spawn(python, [path.join(import.meta.dirname, 'official.py')]);
  child.stdin.end(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

it.each(told)('the official client reads every event and facet of a run that is: %s', async (_, scenario) => {
  const { events } = await scenario();
  const python = await virtualEnvironment('lineage', import.meta.dirname);
  expect(await readByClient(python, events)).toEqual({
    events: events.length,
    facets: events.flatMap(facetsOf).length,
  });
});

// The schemas are files of a repository, and no package registry has them: OPENLINEAGE_SPEC names the folder `spec` of a checkout.
const spec = process.env.OPENLINEAGE_SPEC;
it.skipIf(spec === undefined).each(told)(
  'the published schemas take every event and facet of a run that is: %s',
  async (_, scenario) => {
    const { events } = await scenario();
    expect(officialErrors(events, spec ?? '')).toEqual([]);
  },
);
