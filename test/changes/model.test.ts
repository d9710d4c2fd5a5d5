import { expect, it } from 'vitest';
import { goldenChanges } from '../../src/changes/golden.ts';
import { signatureChanges } from '../../src/changes/signature.ts';
import type { Feature, InputDtype, Signature } from '../../src/domain/signature.ts';
import { recordSignature, rowDigest } from '../../src/model/recorded-model.ts';

type Columns = readonly (Partial<Feature> & { readonly name: string })[];

function signature(columns: Columns, dtype: InputDtype = 'string'): Signature {
  const features = columns.map((column) => ({ nullable: false, unknown: 'quarantine' as const, ...column }));
  return { inputs: [{ name: 'x', dtype, features }], output: { name: 'score', index: 0 } };
}

const changes = (before: Signature, after: Signature) => signatureChanges(recordSignature(before), recordSignature(after));

it('names inputs that were added, removed, or have other rules', () => {
  const before = signature([{ name: 'plan', categories: ['free', 'pro'] }, { name: 'old' }, { name: 'same' }]);
  const after = signature([
    { name: 'same' },
    { name: 'plan', categories: ['pro', 'team'], nullable: true },
    { name: 'new', categories: ['a'] },
  ]);
  expect(changes(before, after)).toEqual({
    added: [{ feature: 'new', what: 'string, required, 1 category' }],
    removed: ['old'],
    changed: [{ feature: 'plan', what: ['required → nullable', 'categories +"team" −"free"'] }],
    output: null,
    not_compared: 0,
  });
  expect(changes(signature([{ name: 'n' }], 'float32'), signature([{ name: 'n' }], 'float64')).changed).toEqual([
    { feature: 'n', what: ['dtype float32 → float64'] },
  ]);
});

it('counts the categories of a long list, and notices that one of them is another', () => {
  const long = (last: string) =>
    signature([{ name: 'city', categories: [...Array.from({ length: 5000 }, (_, i) => `city ${i}`), last] }]);
  expect(changes(long('x'), long('x')).changed).toEqual([]);
  expect(changes(long('x'), long('y')).changed).toEqual([{ feature: 'city', what: ['categories 5001 → 5001'] }]);
});

it('stays small for any model, and says how much was not compared', () => {
  const wide = signature(
    Array.from({ length: 5000 }, (_, i) => ({ name: `feature ${i} ${'x'.repeat(90)}`, default: 'd'.repeat(5000) })),
  );
  expect(JSON.stringify(recordSignature(wide)).length).toBeLessThan(17_000);
  const { added, removed, not_compared } = changes(signature([{ name: 'a' }]), wide);
  expect([added, removed]).toEqual([[], []]);
  expect(not_compared).toBeGreaterThan(4_800);
});

it('finds golden rows of the earlier bundle wherever they are now, by its own features', () => {
  const cells = (a: string | null, b: string, score: string) =>
    new Map([
      ['a', a],
      ['b', b],
      ['new', '1'],
      ['expected_score', score],
    ]);
  const before = recordSignature(signature([{ name: 'b' }, { name: 'a' }]));
  const digest = (a: string | null, b: string) =>
    rowDigest(
      new Map([
        ['a', a],
        ['b', b],
      ]),
      ['a', 'b'],
    );
  const recorded = [
    [digest('1', 'x'), 0.4],
    [digest(null, 'x'), 0.5],
    [digest('gone', 'x'), 0.6],
  ] as const;
  expect(
    goldenChanges(recorded, before, [cells(null, 'x', '0.5000001'), cells('9', 'y', '0'), cells('1', 'x', '0.437')]),
  ).toEqual({
    recorded: 3,
    compared: 2,
    changed: [{ row: 3, before: 0.4, after: 0.437 }],
  });
  // An empty text is not a null, and without a feature there is nothing to compare by.
  expect(goldenChanges(recorded, before, [cells('', 'x', '0')])?.compared).toBe(0);
  expect(
    goldenChanges(recorded, before, [
      new Map([
        ['a', '1'],
        ['expected_score', '0'],
      ]),
    ]),
  ).toBeUndefined();
});
