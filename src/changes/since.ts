import { type LedgerEntry, type Run, runsOf } from '../domain/ledger.ts';
import { currentEntries, type PublishedEntry } from '../domain/publications.ts';
import { showQuery } from '../domain/query.ts';
import type { RecordedBasis } from '../domain/recorded-basis.ts';
import { expectedColumn, readGoldenCells } from '../model/golden.ts';
import type { Plan } from '../plan/plan.ts';
import { definitionChanges, type KeyChange, showBands } from './definition.ts';
import { type GoldenChanges, goldenChanges } from './golden.ts';
import { type SignatureChanges, signatureChanges } from './signature.ts';

/** The publication that a plan is compared with. */
export interface Base {
  readonly entry: PublishedEntry;
  readonly run: Run;
}

/** What a run would publish differently from an earlier publication. Null if unchanged or unknown. */
export interface Changes {
  /** A unified diff. */
  readonly sql: string | null;
  readonly model: ModelChanges | null;
  readonly gates: readonly KeyChange[];
  readonly bands: { readonly before: string; readonly after: string } | null;
  /** Other keys of the job file. */
  readonly job: readonly KeyChange[];
  /** What the earlier version of score-batch did not record. */
  readonly unknown: readonly ('query' | 'job file' | 'signature' | 'golden scores')[];
}

export interface ModelChanges {
  readonly before: LedgerEntry['model'];
  readonly after: LedgerEntry['model'];
  readonly signature: SignatureChanges | null;
  readonly golden: GoldenChanges | null;
}

/** The current publication of the plan's window, otherwise of the latest earlier window of its kind. */
export async function baseOf({ entries, last, ledger, job }: Plan): Promise<Base | undefined> {
  const entry = currentEntries(entries)[0] ?? last;
  if (entry === undefined) return undefined;
  const all = entry === last ? await ledger.entries({ job: job.definition.name, window: entry.window }) : entries;
  const run = runsOf(all).find(({ runId }) => runId === entry.runId);
  return run && { entry, run };
}

export async function changesSince({ run, entry }: Base, plan: Plan): Promise<Changes> {
  const { sql, basis } = run.details;
  const query = showQuery(plan.query);
  const keys = basis && plan.basis ? definitionChanges(basis.definition, plan.basis.definition) : [];
  const isGate = ({ key }: KeyChange) => key.startsWith('gates');
  const isBand = ({ key }: KeyChange) => key.startsWith('score.bands');
  const model = await modelChanges(entry, basis, plan);
  return {
    sql: sql === undefined || sql.trim() === query.trim() ? null : await diff(sql, query),
    model,
    gates: keys.filter(isGate),
    bands: keys.some(isBand) ? { before: bandsOf(basis), after: bandsOf(plan.basis) } : null,
    job: keys.filter((change) => !isGate(change) && !isBand(change)),
    unknown: [
      ...(sql === undefined ? (['query'] as const) : []),
      ...(basis === undefined ? (['job file', ...(model ? (['signature', 'golden scores'] as const) : [])] as const) : []),
    ],
  };
}

function bandsOf(basis: RecordedBasis | undefined): string {
  return (basis && showBands(basis.definition)) ?? 'others';
}

async function diff(before: string, after: string): Promise<string> {
  const { queryDiff } = await import('./query.ts');
  return queryDiff(before, after);
}

async function modelChanges(
  { model: before }: PublishedEntry,
  basis: RecordedBasis | undefined,
  { bundle, basis: now }: Plan,
): Promise<ModelChanges | null> {
  const { name, version } = bundle.definition;
  const after = { name, version, digest: bundle.digest };
  // The rules in model.yaml affect scores, too.
  const changed = before.digest !== after.digest || before.name !== name || before.version !== version;
  if (!changed && (basis === undefined || basis.fingerprint.model === now?.fingerprint.model)) return null;
  const rows = basis?.golden && (await readGoldenCells(bundle));
  return {
    before,
    after,
    signature: basis && now ? signatureChanges(basis.signature, now.signature) : null,
    golden:
      (basis?.golden && rows && goldenChanges(basis.golden, basis.signature, rows, expectedColumn(bundle.signature))) ?? null,
  };
}
