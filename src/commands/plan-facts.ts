import { priceOf } from '../domain/cost.ts';
import { chunksFor } from '../domain/frozen-table.ts';
import { applyGates } from '../domain/gates.ts';
import { currentPublication, unfinishedRun } from '../domain/ledger.ts';
import { supersededWindow } from '../domain/publications.ts';
import { showQuery } from '../domain/query.ts';
import { featuresOf } from '../domain/signature.ts';
import { showTableName } from '../domain/table-name.ts';
import type { TableLayout } from '../domain/tables.ts';
import type { Plan } from '../plan/plan.ts';
import { rowsBefore } from '../plan/publications.ts';
import { divideFeatures } from '../warehouse/sql/feature-counts.ts';

/** The tables that a run would write. */
export function touchedTables({ tables, reported }: Plan): TableLayout[] {
  const touched = [
    tables.scores,
    tables.quarantine,
    ...(reported ? [tables.report, tables.summary, tables.drift] : []),
    tables.ledger,
  ];
  return touched.filter((table) => table !== undefined);
}

export type Facts = ReturnType<typeof describeFacts>;

/** What a run would do, for people and as JSON. */
export function describeFacts(plan: Plan, rows: number | undefined, bytes: number | undefined) {
  const { definition, file } = plan.job;
  const { window, bundle } = plan;
  const published = currentPublication(plan.entries);
  return {
    job: definition.name,
    job_file: file,
    window: {
      label: window.label,
      kind: window.kind,
      start: window.start.toISOString(),
      end: window.end.toISOString(),
      zone: window.zone,
    },
    source: definition.source.warehouse,
    /** For a job on events. */
    attributes_as_of: plan.job.events?.attributesAsOf ?? null,
    sink: definition.sink.warehouse ?? definition.source.warehouse,
    sql: showQuery(plan.query),
    parameters: Object.fromEntries(plan.query.parameters.map(({ name, value }) => [name, value])),
    rows: rows ?? null,
    bytes: bytes ?? null,
    usd: bytes === undefined ? null : priceOf(bytes, definition.source.usd_per_tib),
    usd_per_tib: bytes === undefined ? null : definition.source.usd_per_tib,
    freezes: plan.tap === undefined && plan.asOf === undefined,
    unloads: definition.source.unload,
    chunks:
      plan.asOf?.frozen.chunks.length ?? (rows === undefined ? null : plan.tap ? 1 : chunksFor(rows, plan.sizing.chunking)),
    /** The run whose kept rows would be scored. */
    as_of: plan.asOf?.frozen.runId ?? null,
    model: {
      name: bundle.definition.name,
      version: bundle.definition.version,
      digest: bundle.digest,
      provider: plan.execution?.provider,
    },
    execution: plan.execution ?? null,
    features: featuresOf(bundle.signature).map(({ feature, dtype }, i) => ({
      name: feature.name,
      column: plan.features[i]?.name ?? '',
      type: plan.features[i]?.native ?? '',
      input: dtype,
    })),
    tables: touchedTables(plan).map(({ name }) => showTableName(name)),
    drift: describeDrift(plan),
    reasons: describeReasons(plan),
    report: plan.reportFiles.map(({ path }) => path),
    supersedes: published === undefined ? null : { run_id: published.runId, rows: published.rows },
    /** Publications of overlapping windows that the run would supersede. */
    supersedes_windows: plan.overlaps.map(supersededWindow),
    /** The model of the previous publication, if different. */
    model_changed: plan.modelChanged ?? null,
    /** Why the run would end with 65, judged by the number of rows alone. */
    would_be_refused: rows === undefined ? [] : refusalsOf(plan, rows),
    resumes: unfinishedRun(plan.entries, plan.fingerprint)?.runId ?? null,
    gates: definition.gates,
    fingerprint: plan.fingerprint,
  };
}

/** Refusals of the gates if every row is scored without drift: more is not known before a run. */
function refusalsOf(plan: Plan, rows: number): readonly string[] {
  const { gates, source } = plan.job.definition;
  const { refusals } = applyGates(
    { pinned: [], rows: { frozen: rows, scored: rows, quarantined: 0 }, rejections: [], scoreCounts: undefined, texts: {} },
    {
      limits: gates,
      refuseDuplicates: source.duplicates === 'refuse',
      superseded: currentPublication(plan.entries)?.rows,
      previous: rowsBefore(plan),
      reference: undefined,
      allowEmpty: false,
    },
  );
  return refusals.map(({ message }) => message);
}

/** What measuring feature drift reads; null if it is not measured. */
export function describeDrift({ drift, tap }: Plan) {
  return (
    (drift && {
      features: drift.features.map(({ feature }) => feature),
      columns: [...new Set(drift.features.map(({ column }) => column.name))],
      without_reference: drift.unmeasured,
      statements: divideFeatures(drift.features).length,
      /** Frozen rows are the run's own copy. Without them, the query runs again. */
      reads: tap === undefined ? ('frozen rows' as const) : ('query again' as const),
    }) ??
    null
  );
}

/** The cost of finding reasons; null if the job has none. */
export function describeReasons({ job, baseline, tap }: Plan) {
  const { reasons } = job.definition.score;
  if (reasons === undefined || baseline === undefined) return null;
  return {
    ...reasons,
    baseline_rows: baseline.rows,
    reads: tap === undefined ? ('frozen rows' as const) : ('query again' as const),
  };
}
