import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { createMetrics } from '../../../src/serve/process/metrics.ts';
import { serveSchema } from '../../../src/serve/settings/schema.ts';
import { repository } from '../../support/project.ts';

const PAGE = readFileSync(repository('docs/serve-settings.md'), 'utf8');

interface Node {
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  readonly anyOf?: readonly Node[];
}

/** `drain.lead` for each key that has a value. */
function keysOf(node: Node, prefix = ''): string[] {
  const forms = [node, ...(node.anyOf ?? []), ...(node.items?.anyOf ?? [])];
  const properties = forms.flatMap(({ properties: own = {} }) => Object.entries(own));
  return properties.flatMap(([name, inner]) => {
    const key = `${prefix}${name}`;
    const below = keysOf(inner, `${key}.`);
    return below.length > 0 ? below : [key];
  });
}

it('the page names every key of the settings file, and no other', () => {
  const keys = keysOf(z.toJSONSchema(serveSchema, { io: 'input' }) as Node).map((key) =>
    key.replace(/^models\.bundle$/, 'models'),
  );
  const [, table = ''] = /## Keys\n([\s\S]*?)\n## /.exec(PAGE) ?? [];
  const named = table
    .split('\n')
    .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name));
  expect(named.sort()).toEqual(keys.sort());
});

it('the page names every metric of a process', async () => {
  const metrics = await createMetrics();
  metrics.watch([]);
  metrics.lookups(() => []);
  const names = (await metrics.collect()).map(({ name }) => name);
  expect(names.length).toBeGreaterThan(6);
  expect(names.filter((name) => !PAGE.includes(`| \`${name}\``))).toEqual([]);
});
