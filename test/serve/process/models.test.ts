import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import type { Classes } from '../../../src/domain/signature.ts';
import type { OnlineModel } from '../../../src/serve/online-model.ts';
import { modelsOf } from '../../../src/serve/process/models.ts';
import { startServing } from '../../../src/serve/process/serving.ts';
import { temporaryFolder } from '../../support/project.ts';
import { CHURN, IRIS, served, settingsOf } from '../served.ts';

/** The iris bundle with another text in its model.yaml. */
async function changed(from: RegExp, to: string): Promise<string> {
  const folder = path.join(await temporaryFolder(), 'bundle');
  await cp(IRIS, folder, { recursive: true });
  const file = path.join(folder, 'model.yaml');
  const text = await readFile(file, 'utf8');
  expect(text).toMatch(from);
  await writeFile(file, text.replace(from, to));
  return folder;
}

const VERSION = /version: ".*"/;

it('compares and shows only the beginning of a name that nobody has', async () => {
  const { service } = await served([IRIS]);
  const { models } = service;
  const megabytes = 'iris'.repeat(2 ** 21);
  const refused = { kind: 'not found', hint: expect.any(String) };
  expect(() => models.find(megabytes)).toThrow(
    expect.objectContaining({ ...refused, message: expect.stringMatching(/^there is no model (iris){20}…$/) }),
  );
  expect(() => models.find('iris', megabytes)).toThrow(
    expect.objectContaining({ ...refused, message: expect.stringMatching(/^there is no version (iris){20}… of/) }),
  );
  expect(() => models.find('\u001b[31m')).toThrow('there is no model \\u001b[31m');
});

it('sends a share of the requests without a version to the canary, and those with one where they ask', async () => {
  const newer = await changed(VERSION, 'version: "2"');
  const older = await changed(VERSION, 'version: "0"');
  const bundles = [newer, IRIS, older, CHURN].map((folder) => ({ folder, canary: folder === newer ? 10 : undefined }));
  const { service } = await served([], { bundles });
  const { models } = service;
  const main = models.find('iris', '2026-11-27');
  // The first of a name answers by default, and is the first in lists.
  expect(models.list().map(({ name, version }) => `${name} ${version}`)).toEqual([
    'iris 2026-11-27',
    'iris 2',
    'iris 0',
    expect.stringMatching(/^churn/),
  ]);
  let seed = 0;
  const drawn = modelsOf(
    models.list().map((model) => ({ model, canary: model.version === '2' ? 10 : undefined })),
    () => (seed++ % 1000) / 1000,
  );
  const versions = Array.from({ length: 1000 }, () => drawn.find('iris').version);
  expect(versions.filter((version) => version === '2')).toHaveLength(100);
  expect(versions.filter((version) => version === main.version)).toHaveLength(900);
  // Unseeded, the share is near it: 4 standard deviations of 4,000 draws are 1.9%.
  const found = Array.from({ length: 4000 }, () => models.find('iris').version).filter((version) => version === '2').length;
  expect(found / 40).toBeGreaterThan(8.1);
  expect(found / 40).toBeLessThan(11.9);
  expect(models.find('iris', '0').version).toBe('0');
  expect(() => models.find('irsi')).toThrow(expect.objectContaining({ kind: 'not found', hint: 'did you mean iris?' }));
  expect(() => models.find('iris', '3')).toThrow(
    expect.objectContaining({ message: 'there is no version 3 of the model iris' }),
  );
  expect(() => models.find('x'.repeat(1000))).toThrow(/^there is no model x{80}…$/);
});

it.each<[title: string, bundles: () => Promise<(readonly [folder: string, canary?: number])[]>, message: RegExp]>([
  [
    'one version twice',
    async () => [[IRIS], [await changed(/description: .*/, 'description: copy')]],
    /two bundles are version 2026-11-27/,
  ],
  ['canaries only', async () => [[IRIS, 10]], /every version of the model iris is a canary/],
  [
    'more than all requests',
    async () => [[IRIS], [await changed(VERSION, 'version: "2"'), 60], [await changed(VERSION, 'version: "3"'), 41]],
    /the canaries of the model iris add up to 101% of its requests/,
  ],
  [
    'a canary with other features',
    async () => [
      [IRIS],
      [
        await changed(
          /version: ".*"([\s\S]*)sepal_width, range/,
          'version: "2"$1sepal_width, nullable: true, default: 3, range',
        ),
        5,
      ],
    ],
    /version 2 of the model iris has different features than version 2026-11-27/,
  ],
])('refuses %s', async (_, bundles, message) => {
  const named = (await bundles()).map(([folder, canary]) => ({ folder, canary }));
  const starting = startServing({ ...settingsOf([]), bundles: named });
  await expect(starting).rejects.toMatchObject({ kind: 'configuration', message: expect.stringMatching(message) });
});

it.each<[what: string, change: (model: OnlineModel) => Partial<OnlineModel>]>([
  ['outputs', () => ({ outputDtype: 'float64' })],
  [
    'outputs',
    ({ bundle }) => {
      const classes = bundle.signature.classes as Classes;
      expect(classes.label).toBeDefined();
      return { bundle: { ...bundle, signature: { ...bundle.signature, classes: { ...classes, label: undefined } } } };
    },
  ],
  ['classes', () => ({ classes: ['setosa', 'versicolor,virginica'] })],
  ['classes', () => ({ classes: undefined })],
])('refuses a canary with other %s', async (what, change) => {
  const { service } = await served([IRIS]);
  const [model] = service.models.list() as [OnlineModel];
  const main = { ...model, classes: ['setosa,versicolor', 'virginica'] };
  const canary = { ...main, version: '2' };
  const shares = (other: OnlineModel) => [
    { model: main, canary: undefined },
    { model: other, canary: 5 },
  ];
  expect(modelsOf(shares(canary)).list()).toHaveLength(2);
  expect(() => modelsOf(shares({ ...canary, ...change(main) }))).toThrow(
    `version 2 of the model iris has different ${what} than`,
  );
});
