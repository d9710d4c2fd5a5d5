import type { KeyChange } from '../changes/definition.ts';
import type { GoldenChanges } from '../changes/golden.ts';
import { isUnchanged, type SignatureChanges } from '../changes/signature.ts';
import type { Changes, ModelChanges } from '../changes/since.ts';
import { showDivergence } from '../changes/unfinished.ts';
import { counted } from '../domain/counted.ts';
import { localTime } from '../window/local-time.ts';
import type { PlannedChanges } from './plan-changes.ts';
import type { Facts } from './plan-facts.ts';

/** Most golden rows to show: those with the largest differences. */
const MAX_GOLDEN = 5;

/** Says in the first line what would happen, followed by a section for each change. No line is empty. */
export function showChanges({ model }: Facts, planned: PlannedChanges, zone: string): string[] {
  const { outcome, since, changes, creates } = planned;
  return [
    outcome,
    ...(since === null || changes === null
      ? [`  first publication: nothing earlier to compare with; the model is ${model.name} ${model.version}`]
      : [
          `  since publication ${since.publication} of ${since.window}, run ${since.run_id}, ${localTime(since.recorded_at, zone)}${isNothing(changes) ? ': nothing has changed' : ''}`,
          ...sections(changes),
        ]),
    ...showTables(creates),
    ...showUnfinished(planned, zone),
  ];
}

/** Tables for replaced rows have the same columns as the others, so their names suffice. */
function showTables(creates: PlannedChanges['creates']): string[] {
  const [kept, own] = [creates.filter(({ table }) => isReplaced(table)), creates.filter(({ table }) => !isReplaced(table))];
  return [
    ...(own.length === 0 ? [] : ['  tables that would be created', ...own.flatMap(({ statement }) => indented(statement))]),
    ...(kept.length === 0
      ? []
      : [`  tables that would be created for replaced rows: ${kept.map(({ table }) => table).join(', ')}`]),
  ];
}

function isReplaced(table: string): boolean {
  return table.endsWith('_replaced');
}

function isNothing({ sql, model, gates, bands, job, unknown }: Changes): boolean {
  return sql === null && model === null && bands === null && gates.length + job.length + unknown.length === 0;
}

function sections({ sql, model, gates, bands, job, unknown }: Changes): string[] {
  return [
    ...(sql === null ? [] : ['  query', ...indented(sql)]),
    ...(model === null ? [] : showModel(model)),
    ...(gates.length === 0 ? [] : ['  gates', ...gates.map(showKey)]),
    ...(bands === null ? [] : ['  bands', `    ${bands.before} → ${bands.after}`]),
    ...(job.length === 0 ? [] : ['  job file', ...job.map(showKey)]),
    ...(unknown.length === 0
      ? []
      : [`  not known, since the version that published it did not record it: ${unknown.join(', ')}`]),
  ];
}

function showModel({ before, after, signature, golden }: ModelChanges): string[] {
  const digests =
    before.digest === after.digest
      ? 'the same model.onnx, a different model.yaml'
      : `sha256 ${before.digest.slice(0, 12)}… → ${after.digest.slice(0, 12)}…`;
  return [
    '  model',
    `    ${before.name} ${before.version} → ${after.name} ${after.version}, ${digests}`,
    ...(signature === null ? [] : showSignature(signature)),
    ...(golden === null ? [] : showGolden(golden)),
  ];
}

function showSignature(signature: SignatureChanges): string[] {
  const { added, removed, changed, output, not_compared: more } = signature;
  return [
    ...(isUnchanged(signature) ? ['    takes the same features'] : []),
    ...removed.map((feature) => `    - ${feature}`),
    ...added.map(({ feature, what }) => `    + ${feature} (${what})`),
    ...changed.map(({ feature, what }) => `    ${feature}: ${what.join('; ')}`),
    ...(output === null ? [] : [`    output ${output.before} → ${output.after}`]),
    ...(more === 0 ? [] : [`    ${counted(more, 'feature')} not compared: the ledger lists only the first ones`]),
  ];
}

function showGolden({ recorded, compared, changed }: GoldenChanges): string[] {
  const largest = [...changed].sort((a, b) => Math.abs(b.after - b.before) - Math.abs(a.after - a.before));
  const shown = largest.slice(0, MAX_GOLDEN).sort((a, b) => a.row - b.row);
  const others = changed.length - shown.length;
  if (compared === 0) return [`    none of the ${counted(recorded, 'recorded golden row')} is in the new bundle`];
  return [
    ...shown.map(({ row, before, after }) => `    golden row ${row}: ${showScores(before, after)}`),
    `    ${changed.length} of ${counted(compared, 'golden row')} in both bundles ${changed.length === 1 ? 'has' : 'have'} a different score${others > 0 ? `; ${others} more with smaller differences` : ''}`,
  ];
}

/** With as many decimals as it takes to tell them apart, at least three. */
function showScores(before: number, after: number): string {
  const decimals = [3, 4, 5, 6].find((digits) => before.toFixed(digits) !== after.toFixed(digits)) ?? 6;
  return `${before.toFixed(decimals)} → ${after.toFixed(decimals)}`;
}

function showKey({ key, before, after }: KeyChange): string {
  return `    ${key}: ${before ?? 'not set'} → ${after ?? 'not set'}`;
}

function showUnfinished({ unfinished, edits }: PlannedChanges, zone: string): string[] {
  if (unfinished === null || unfinished.published) return [];
  const run = `unfinished run ${unfinished.run_id}, which began at ${localTime(unfinished.started_at, zone)}`;
  if (!unfinished.resumed) return [`  ${run}, is not resumed`, `    different now: ${showDivergence(unfinished)}`];
  return [
    `  ${run}, is resumed`,
    `    even after an edit of ${edits.resumed_after.join(', ')}`,
    `    starts over after an edit of ${edits.starts_over_after.join(', ')}`,
  ];
}

function indented(text: string): string[] {
  return text.split('\n').map((line) => `    ${line}`);
}
