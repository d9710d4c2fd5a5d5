import { showBytes } from '../domain/cost.ts';
import { counted } from '../domain/counted.ts';
import { showExecution } from '../domain/execution.ts';
import { showModelChange } from '../domain/model-change.ts';
import type { Plan } from '../plan/plan.ts';
import { localRange } from '../window/local-time.ts';
import type { describeDrift, describeReasons, Facts } from './plan-facts.ts';

function showReasons({ top, baseline_rows, reads }: NonNullable<ReturnType<typeof describeReasons>>): string {
  const where = reads === 'frozen rows' ? 'from the frozen rows' : 'by running the query again';
  return `  reasons   of the highest ${counted(top, 'score')}, compared with ${counted(baseline_rows, 'baseline row')}: their features are read again, ${where}`;
}

function showDrift({ columns, without_reference, statements, reads }: NonNullable<ReturnType<typeof describeDrift>>): string[] {
  const where =
    reads === 'frozen rows' ? 'read from the frozen rows, in addition to the query' : 'read by running the query again';
  return [
    `  drift     of ${columns.join(', ')}: ${where}, by ${counted(statements, 'statement')} that ${statements === 1 ? 'returns' : 'return'} only counts`,
    ...(without_reference.length === 0
      ? []
      : [`            not of ${without_reference.join(', ')}, which have no reference in the bundle`]),
  ];
}

/** `0.25`, or `0.05 for price and 0.02 for age` with limits per feature. */
function showLimit(limit: Plan['job']['definition']['gates'][keyof Plan['job']['definition']['gates']]): string {
  if (typeof limit !== 'object') return String(limit);
  return Object.entries(limit)
    .map(([feature, one]) => `${one} for ${feature}`)
    .join(' and ');
}

/** The plan's facts, one per line. */
export function showFacts(plan: Facts): string {
  const { window, model } = plan;
  const overwritten = plan.attributes_as_of === 'load';
  const gates = Object.entries(plan.gates).map(([name, limit]) => `${name} ${showLimit(limit)}`);
  return [
    `${plan.job} ${window.label}: ${localRange(window, window.zone)} (${window.kind}, ${window.zone})`,
    `  source    ${plan.source}`,
    ...(overwritten
      ? ['            attributes as of: load. These are the current attributes, not those that a stream used']
      : []),
    `  sink      ${plan.sink}`,
    `  model     ${model.name} ${model.version}, sha256 ${model.digest.slice(0, 12)}…, on ${model.provider}`,
    ...(plan.model_changed === null ? [] : [`            changed ${showModelChange(plan.model_changed)}`]),
    ...(plan.execution === null ? [] : [`  provider  ${showExecution(plan.execution).join('\n            ')}`]),
    `  rows      ${plan.rows === null ? 'unknown without running the query' : `${plan.rows.toLocaleString('en')}, ${plan.freezes || plan.as_of !== null ? `frozen in ${plan.chunks} chunks` : 'scored as the query returns them'}`}`,
    ...(plan.as_of === null ? [] : [`            those that run ${plan.as_of} read; the query is not run`]),
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
  ].join('\n');
}
