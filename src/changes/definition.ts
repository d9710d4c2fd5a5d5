import type { RecordedDefinition } from '../domain/recorded-basis.ts';
import { sectionDigest, sectionOf } from '../job/recorded-definition.ts';

/** A changed key of the job file; null if it was not set. Values are as in the ledger: JSON, or a digest. */
export interface KeyChange {
  readonly key: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** In the order of the present job file; removed keys come last. */
export function definitionChanges(before: RecordedDefinition, after: RecordedDefinition): KeyChange[] {
  const [was, is] = [alike(before, after), alike(after, before)];
  return Object.keys({ ...is, ...was }).flatMap((key) =>
    was[key] === is[key] ? [] : [{ key, before: was[key] ?? null, after: is[key] ?? null }],
  );
}

/** Reduces a section to its digest if the other definition only has the digest. */
function alike(definition: RecordedDefinition, other: RecordedDefinition): RecordedDefinition {
  const entries = Object.entries(definition);
  const digests = Object.keys(other).filter((key) => !key.includes('.') && !(key in definition));
  return digests.reduce<RecordedDefinition>((kept, section) => {
    const inside = entries.filter(([key]) => sectionOf(key) === section);
    if (inside.length === 0) return kept;
    const outside = Object.entries(kept).filter(([key]) => sectionOf(key) !== section);
    return { ...Object.fromEntries(outside), [section]: sectionDigest(inside) };
  }, definition);
}

/** `high top 10 %, medium top 30 %`, or `high from 0.9`; undefined if the ledger does not have them in full. */
export function showBands(definition: RecordedDefinition): string | undefined {
  const { 'score.bands.by': by, 'score.bands.bounds': bounds } = definition;
  if (by === undefined || bounds === undefined || bounds.startsWith('sha256:')) return undefined;
  const parsed = JSON.parse(bounds) as readonly { readonly name: string; readonly bound: number }[];
  return parsed
    .map(({ name, bound }) => (by === '"share"' ? `${name} top ${bound / 10_000} %` : `${name} from ${bound / 1e6}`))
    .join(', ');
}
