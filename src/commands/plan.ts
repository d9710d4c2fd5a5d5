import type { Context } from '../context.ts';
import { priceOf, showBytes } from '../domain/cost.ts';
import { counted } from '../domain/counted.ts';
import { showExecution } from '../domain/execution.ts';
import { chunksFor } from '../domain/frozen-table.ts';
import { applyGates } from '../domain/gates.ts';
import { currentPublication, unfinishedRun } from '../domain/ledger.ts';
import { showModelChange } from '../domain/model-change.ts';
import { supersededWindow } from '../domain/publications.ts';
import { showQuery } from '../domain/query.ts';
import { featuresOf } from '../domain/signature.ts';
import { showTableName } from '../domain/table-name.ts';
import type { PlanOutput } from '../json/plan.ts';
import { makePlan, type Plan } from '../plan/plan.ts';
import { rowsBefore } from '../plan/publications.ts';
import { divideFeatures } from '../warehouse/sql/feature-counts.ts';
import { canCount } from '../warehouse/warehouse.ts';
import { localRange } from '../window/local-time.ts';
import { namedJob } from './named-job.ts';
import { chooseWindow, type JobFlags, type WindowOptions } from './options.ts';

export interface PlanFlags extends JobFlags, WindowOptions {
  readonly requireGpu?: boolean;
  readonly replaceOverlapping?: boolean;
}

/** Shows what a run would do. Moves no rows. */
export async function planCommand(flags: PlanFlags, context: Context): Promise<{ data: PlanOutput; text: string }> {
  const job = await namedJob(flags, context);
  const window = chooseWindow(flags, job.definition.time_zone, context);
  const plan = await makePlan(
    job,
    window,
    {
      requireGpu: flags.requireGpu ?? false,
      workers: undefined,
      phase: 'all',
      replaceOverlapping: flags.replaceOverlapping,
    },
    context,
  );
  const { source } = plan;
  const rows = canCount(source) ? await source.count(plan.query) : undefined;
  const data = describePlan(plan, rows, plan.estimatedBytes);
  return { data, text: showPlan(data) };
}

function describePlan(plan: Plan, rows: number | undefined, bytes: number | undefined) {
  const { definition, file } = plan.job;
  const { window, bundle, tables, reported } = plan;
  const touched = [
    tables.scores,
    tables.quarantine,
    ...(reported ? [tables.report, tables.summary, tables.drift] : []),
    tables.ledger,
  ];
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
    sink: definition.sink.warehouse ?? definition.source.warehouse,
    sql: showQuery(plan.query),
    parameters: Object.fromEntries(plan.query.parameters.map(({ name, value }) => [name, value])),
    rows: rows ?? null,
    bytes: bytes ?? null,
    usd: bytes === undefined ? null : priceOf(bytes, definition.source.usd_per_tib),
    usd_per_tib: bytes === undefined ? null : definition.source.usd_per_tib,
    freezes: plan.tap === undefined,
    unloads: definition.source.unload,
    chunks: rows === undefined ? null : plan.tap ? 1 : chunksFor(rows, plan.sizing.chunking),
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
    tables: touched.flatMap((table) => (table === undefined ? [] : showTableName(table.name))),
    drift: describeDrift(plan),
    reasons: describeReasons(plan),
    report: plan.reportFiles.map(({ path }) => path),
    supersedes: published === undefined ? null : { run_id: published.runId, rows: published.rows },
    /** Publications of overlapping windows that the run would supersede. */
    supersedes_windows: plan.overlaps.map(supersededWindow),
    /** The model of the previous publication, if it was a different one. */
    model_changed: plan.modelChanged ?? null,
    /** Why the run would end with 65, judged by the number of rows alone. */
    would_be_refused: rows === undefined ? [] : refusalsOf(plan, rows),
    resumes: unfinishedRun(plan.entries, plan.fingerprint)?.runId ?? null,
    gates: definition.gates,
    fingerprint: plan.fingerprint,
  };
}

/** Refusals of the gates if every row is scored and there is no drift: more is not known before a run. */
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
  return refusals;
}

/** What measuring the drift of the features reads; null if it is not measured. */
function describeDrift({ drift, tap }: Plan) {
  return (
    (drift && {
      features: drift.features.map(({ feature }) => feature),
      columns: [...new Set(drift.features.map(({ column }) => column.name))],
      without_reference: drift.unmeasured,
      statements: divideFeatures(drift.features).length,
      /** Frozen rows are the run's own copy. Without one, the query runs again. */
      reads: tap === undefined ? ('frozen rows' as const) : ('query again' as const),
    }) ??
    null
  );
}

/** What finding reasons takes; null if the job has none. */
function describeReasons({ job, baseline, tap }: Plan) {
  const { reasons } = job.definition.score;
  if (reasons === undefined || baseline === undefined) return null;
  return {
    ...reasons,
    baseline_rows: baseline.rows,
    reads: tap === undefined ? ('frozen rows' as const) : ('query again' as const),
  };
}

function showReasons({ top, baseline_rows, reads }: NonNullable<ReturnType<typeof describeReasons>>): string {
  const where = reads === 'frozen rows' ? 'from the frozen rows' : 'by running the query again';
  return `  reasons   of the highest ${counted(top, 'score')}, compared with ${counted(baseline_rows, 'baseline row')}: their features are read again, ${where}`;
}

function showDrift({ columns, without_reference, statements, reads }: NonNullable<ReturnType<typeof describeDrift>>): string[] {
  const where =
    reads === 'frozen rows' ? 'read from the frozen rows, which comes on top of the query' : 'read by running the query again';
  return [
    `  drift     of ${columns.join(', ')}: ${where}, by ${counted(statements, 'statement')} that ${statements === 1 ? 'returns' : 'return'} only counts`,
    ...(without_reference.length === 0
      ? []
      : [`            not of ${without_reference.join(', ')}, without reference in the bundle`]),
  ];
}

/** `0.25`, or `0.05 for price and 0.02 for age` with limits per feature. */
function showLimit(limit: Plan['job']['definition']['gates'][keyof Plan['job']['definition']['gates']]): string {
  if (typeof limit !== 'object') return String(limit);
  return Object.entries(limit)
    .map(([feature, one]) => `${one} for ${feature}`)
    .join(' and ');
}

function showPlan(plan: ReturnType<typeof describePlan>): string {
  const { window, model } = plan;
  const gates = Object.entries(plan.gates).map(([name, limit]) => `${name} ${showLimit(limit)}`);
  return [
    `${plan.job} ${window.label}: ${localRange(window, window.zone)} (${window.kind}, ${window.zone})`,
    `  source    ${plan.source}`,
    `  sink      ${plan.sink}`,
    `  model     ${model.name} ${model.version}, sha256 ${model.digest.slice(0, 12)}…, on ${model.provider}`,
    ...(plan.model_changed === null ? [] : [`            changed ${showModelChange(plan.model_changed)}`]),
    ...(plan.execution === null ? [] : [`  provider  ${showExecution(plan.execution).join('\n            ')}`]),
    `  rows      ${plan.rows === null ? 'unknown without running the query' : `${plan.rows.toLocaleString('en')}, ${plan.freezes ? `frozen in ${plan.chunks} chunks` : 'scored as the query returns them'}`}`,
    ...(plan.unloads ? ['            unloaded as Parquet (opt-in, not measured on a real account)'] : []),
    ...plan.would_be_refused.map((refusal) => `            a run would end with 65: ${refusal}`),
    ...(plan.rows === 0 && plan.would_be_refused.length > 0 ? ['            add --allow-empty to publish it empty'] : []),
    ...(plan.bytes === null || plan.usd === null
      ? []
      : [`  reads     ${showBytes(plan.bytes)}, ${plan.usd.toFixed(4)} USD at ${plan.usd_per_tib} USD per TiB`]),
    ...(plan.drift === null ? [] : showDrift(plan.drift)),
    ...(plan.reasons === null ? [] : [showReasons(plan.reasons)]),
    `  tables    ${plan.tables.join(', ')}`,
    `  report    ${plan.report.join('\n            ') || 'none'}`,
    `  supersedes  ${plan.supersedes === null ? 'nothing' : `${plan.supersedes.run_id} (${plan.supersedes.rows.frozen.toLocaleString('en')} rows)`}`,
    ...plan.supersedes_windows.map(
      ({ label, start, end, run_id }) => `            and ${label} (${localRange({ start, end }, window.zone)}), ${run_id}`,
    ),
    ...(plan.resumes === null ? [] : [`  resumes   ${plan.resumes}`]),
    `  gates     ${gates.join(', ')}`,
    `  features  ${plan.features.map(({ name, column, type, input }) => `${name}${column === name ? '' : ` from ${column}`} (${type} → ${input})`).join(', ')}`,
    `  values    ${Object.entries(plan.parameters)
      .map(([name, value]) => `:${name} = ${value}`)
      .join(', ')}`,
    '',
    plan.sql.trim(),
  ].join('\n');
}
