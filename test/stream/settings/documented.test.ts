import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { featuresJsonSchema } from '../../../src/event-features/json-schema.ts';
import { createMetrics } from '../../../src/stream/process/metrics.ts';
import { streamJsonSchema } from '../../../src/stream/settings/json-schema.ts';
import { streamSchema } from '../../../src/stream/settings/schema.ts';
import { repository } from '../../support/project.ts';

const PAGE = readFileSync(repository('docs/stream-settings.md'), 'utf8');

interface Node {
  readonly properties?: Readonly<Record<string, Node>>;
  readonly anyOf?: readonly Node[];
}

/** `kafka.brokers` for each key that has a value; a map that may also be a single value is a key itself, too. */
function keysOf(node: Node, prefix = ''): string[] {
  const properties = [node, ...(node.anyOf ?? [])].flatMap(({ properties: own = {} }) => Object.entries(own));
  return properties.flatMap(([name, inner]) => {
    const key = `${prefix}${name}`;
    const below = keysOf(inner, `${key}.`);
    const single = (inner.anyOf ?? []).some((form) => form.properties === undefined);
    return below.length > 0 && !single ? below : [key, ...below];
  });
}

it('the page names every key of the stream job file, and no other', () => {
  const keys = keysOf(z.toJSONSchema(streamSchema, { io: 'input' }) as Node);
  const [, table = ''] = /## Keys\n([\s\S]*?)\n## /.exec(PAGE) ?? [];
  const named = table
    .split('\n')
    .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name));
  expect(named.sort()).toEqual([...new Set(keys)].sort());
});

it('the page names every metric of a stream', async () => {
  const scorer = { name: 'm', version: '1', digest: 'd', definitionDigest: 'e' };
  const metrics = await createMetrics(() => ({ partitions: [], attributes: undefined, scorer, paused: false }));
  const { text } = await metrics.text();
  const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
  const [, table = ''] = /## Metrics\n([\s\S]*)/.exec(PAGE) ?? [];
  expect([...table.matchAll(/^\| `(\S+)`/gm)].map(([, name]) => name).sort()).toEqual(names.sort());
});

it.each([
  ['stream', streamJsonSchema],
  ['features', featuresJsonSchema],
])('has the current schema of %s files for editors; `npm run build` updates it', (name, schemaOf) => {
  const file = readFileSync(repository(`jobs/${name}.schema.json`), 'utf8');
  expect(JSON.parse(file)).toEqual(JSON.parse(JSON.stringify(schemaOf())));
});
