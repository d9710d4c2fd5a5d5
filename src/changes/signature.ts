import { counted } from '../domain/counted.ts';
import type { RecordedFeature, RecordedSignature } from '../domain/recorded-basis.ts';

/** How a model's inputs and output differ from an earlier model's. */
export interface SignatureChanges {
  readonly added: readonly { readonly feature: string; readonly what: string }[];
  readonly removed: readonly string[];
  readonly changed: readonly { readonly feature: string; readonly what: readonly string[] }[];
  readonly output: { readonly before: string; readonly after: string } | null;
  /** Number of features of a wide model that the ledger does not list, and that were not compared. */
  readonly not_compared: number;
}

export function signatureChanges(before: RecordedSignature, after: RecordedSignature): SignatureChanges {
  const was = new Map(before.listed.map((feature) => [feature.name, feature]));
  const is = new Map(after.listed.map((feature) => [feature.name, feature]));
  const unlisted = Math.max(before.features - before.listed.length, after.features - after.listed.length);
  // A feature missing from a truncated list may come after the cut.
  const whole = unlisted === 0;
  return {
    added: whole
      ? [...is.values()].filter(({ name }) => !was.has(name)).map((one) => ({ feature: one.name, what: describe(one) }))
      : [],
    removed: whole ? [...was.keys()].filter((name) => !is.has(name)) : [],
    changed: [...is.values()].flatMap((feature) => {
      const other = was.get(feature.name);
      const what = other === undefined ? [] : differences(other, feature);
      return what.length === 0 ? [] : [{ feature: feature.name, what }];
    }),
    output: before.output === after.output ? null : { before: before.output, after: after.output },
    not_compared: unlisted,
  };
}

export function isUnchanged({ added, removed, changed, output }: SignatureChanges): boolean {
  return added.length + removed.length + changed.length === 0 && output === null;
}

function describe({ dtype, nullable, categories, category_count }: RecordedFeature): string {
  return [
    dtype,
    nullable ? 'nullable' : 'required',
    ...(categories === undefined ? [] : [counted(category_count ?? 0, 'category', 'categories')]),
  ].join(', ');
}

function differences(before: RecordedFeature, after: RecordedFeature): string[] {
  const rules = ['dtype', 'default', 'range', 'unknown'] as const;
  return [
    ...rules.flatMap((rule) => {
      const [was, is] = [show(before[rule]), show(after[rule])];
      return was === is ? [] : [`${rule} ${was} → ${is}`];
    }),
    ...(before.nullable === after.nullable ? [] : [after.nullable ? 'required → nullable' : 'nullable → required']),
    ...categoryDifferences(before, after),
  ];
}

function categoryDifferences(before: RecordedFeature, after: RecordedFeature): string[] {
  if (JSON.stringify(before.categories) === JSON.stringify(after.categories)) return [];
  const [was, is] = [before.categories, after.categories];
  if (!Array.isArray(was) || !Array.isArray(is))
    return [`categories ${before.category_count ?? 'any'} → ${after.category_count ?? 'any'}`];
  const named = [
    ...is.filter((text) => !was.includes(text)).map((text) => `+${JSON.stringify(text)}`),
    ...was.filter((text) => !is.includes(text)).map((text) => `−${JSON.stringify(text)}`),
  ];
  return [`categories ${named.join(' ') || 'in another order'}`];
}

function show(value: unknown): string {
  if (value === undefined) return 'none';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
