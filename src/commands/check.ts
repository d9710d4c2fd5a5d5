import { randomBytes } from 'node:crypto';
import type { Context } from '../context.ts';
import { counted } from '../domain/counted.ts';
import { showExecution } from '../domain/execution.ts';
import { REPORT_KINDS } from '../domain/report-kind.ts';
import type { Schema } from '../domain/schema.ts';
import { parseStoreAddress } from '../domain/store-address.ts';
import { tablesOf } from '../domain/tables.ts';
import type { Window } from '../domain/window.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Job } from '../job/load.ts';
import { bindLabels, bindWindow } from '../job/parameters.ts';
import type { CheckOutput } from '../json/upkeep.ts';
import { labelColumns } from '../labels/columns.ts';
import { refuseTimeless } from '../labels/refuse.ts';
import type { Bundle } from '../model/bundle.ts';
import { verifyBundle } from '../model/verify.ts';
import { championDefinition, loadChallenger } from '../plan/challenger.ts';
import { planClasses } from '../plan/classes.ts';
import { chooseColumns } from '../plan/columns.ts';
import { loadJobBundle } from '../plan/job-bundle.ts';
import { locatedJob } from '../plan/located-job.ts';
import { openWarehouses, reservedFiles, tableNames, type Warehouses } from '../plan/warehouses.ts';
import { assertReportWritable } from '../report/file.ts';
import { type ReportFile, reportFiles } from '../report/place.ts';
import { refuseReserved } from '../report/reserved.ts';
import { assertObjectsWritable } from '../report/stored-files.ts';
import { withoutSecrets } from '../secrets.ts';
import { windowFromFlags } from '../window/flags.ts';
import { namedJob } from './named-job.ts';
import type { JobFlags } from './options.ts';

/** The job under test, with intermediate results. */
interface Target extends Warehouses {
  /** Its models are located by the check `model`. */
  job: Job;
  readonly context: Context;
  /** The window that a run without window flags would take. */
  readonly window: () => Window;
  /** Set by the check `model`. */
  bundle?: Bundle;
  /** Columns of the query; set by the check `query`. */
  schema?: Schema;
}

interface Check {
  readonly name: string;
  /** Whether the job has something to check, and earlier checks have found what this one needs; always by default. */
  readonly applies?: (target: Target) => boolean;
  /** @returns the finding, for people @throws ScoreBatchError if the check fails */
  readonly run: (target: Target) => Promise<string>;
}

/** In the order in which they run and are shown. */
const CHECKS: readonly Check[] = [
  { name: 'model', run: checkModel },
  { name: 'golden rows', applies: ({ bundle }) => bundle !== undefined, run: checkGoldenRows },
  { name: 'source', run: ({ source }) => source.probe() },
  { name: 'query', run: checkQuery },
  { name: 'tables', applies: ({ bundle, schema }) => bundle !== undefined && schema !== undefined, run: checkTables },
  {
    name: 'readiness',
    applies: ({ job, schema }) => schema !== undefined && job.definition.source.ready !== undefined,
    run: checkReadiness,
  },
  { name: 'labels', applies: ({ job, schema }) => job.labels !== undefined && schema !== undefined, run: checkLabels },
  { name: 'report folder', applies: (target) => filesOf(target).length > 0, run: checkReportFolder },
  { name: 'sink', run: checkSink },
  { name: 'delivery', applies: ({ job }) => job.definition.delivery !== undefined, run: checkDeliveryTargets },
];

interface CheckResult {
  readonly check: string;
  readonly ok: boolean;
  readonly found: string;
  readonly hint: string | null;
}

interface CheckOutcome {
  readonly data: CheckOutput;
  readonly text: string;
  /** The part of the text about failed checks; empty if none failed. */
  readonly failed: string;
  /** The first failure; decides the exit code. */
  readonly failure: ScoreBatchError | undefined;
}

/** Checks model, execution provider, connections and permissions one by one, so that one failure does not hide the next. */
export async function checkCommand(flags: JobFlags, context: Context): Promise<CheckOutcome> {
  const job = await namedJob(flags, context);
  const warehouses = await openWarehouses(job, context);
  const target: Target = { ...warehouses, job, context, window: () => lastWindow(job, context.now) };
  const checks: CheckResult[] = [];
  let failure: ScoreBatchError | undefined;
  for (const { name, applies = () => true, run } of CHECKS) {
    if (!applies(target)) continue;
    try {
      checks.push({ check: name, ok: true, found: await run(target), hint: null });
    } catch (error) {
      // A bug or a signal is not the result of a check.
      if (!(error instanceof ScoreBatchError)) throw error;
      failure ??= error;
      const found = withoutSecrets([error.message, ...error.details].join('; '));
      checks.push({ check: name, ok: false, found, hint: error.hint ?? null });
    }
  }
  const text = checks.map(showCheck);
  return {
    data: { job: job.definition.name, ok: failure === undefined, checks },
    text: text.join('\n'),
    failed: text.filter((_, i) => checks[i]?.ok === false).join('\n'),
    failure,
  };
}

async function checkModel(target: Target): Promise<string> {
  const job = await locatedJob(target.job, target.context, { ledger: target.ledger });
  target.job = job;
  const bundle = await loadJobBundle(job);
  target.bundle = bundle;
  return `${bundle.definition.name} ${bundle.definition.version}, sha256 ${bundle.digest.slice(0, 12)}…`;
}

async function checkGoldenRows({ job, bundle }: Target): Promise<string> {
  const { providers, require_gpu: requireGpu } = job.definition.score;
  const { execution, rows, largest } = await verifyBundle(needed(bundle), { providers, requireGpu });
  const agreed = `${counted(rows, 'row agrees', 'rows agree')} on ${execution.provider}`;
  return [`${agreed}, largest difference ${largest.toExponential(1)}`, ...showExecution(execution)].join('\n');
}

async function checkQuery(target: Target): Promise<string> {
  const { job, source } = target;
  const schema = await source.describe(bindWindow(job.query, target.window(), job.queryName, job.kind));
  target.schema = schema;
  return `${job.queryName} has ${counted(schema.length, 'column')}`;
}

async function checkTables({ job, sink, bundle, schema }: Target): Promise<string> {
  const definition = championDefinition(job.definition, needed(bundle), await loadChallenger(job));
  const classes = planClasses(definition, needed(bundle));
  const { key, keep } = chooseColumns(definition, needed(schema), needed(bundle));
  const tables = tablesOf(tableNames(definition), {
    ...{ key, keep: [...keep, ...(classes?.columns ?? [])] },
    scoreColumn: definition.score.column,
    layout: definition.sink.layout,
    reasons: definition.score.reasons?.features,
    holdout: definition.report.holdout !== undefined,
  });
  const differences = await sink.differences(tables);
  if (differences.length === 0) return 'existing tables have the right columns; a run creates missing ones';
  throw new ScoreBatchError('configuration', differences.join('; '), {
    hint: 'name another table in the job, or rename the old one',
  });
}

async function checkReadiness({ job, source, window }: Target): Promise<string> {
  const { label } = window();
  const { ready = '' } = job.definition.source;
  return (await source.ready(bindWindow(ready, window(), 'source.ready', job.kind)))
    ? `the source is ready for ${label}`
    : 'the source is not ready yet; a run would end with exit code 69';
}

/** Compares the key's types with those of the query, which are the published ones. */
async function checkLabels({ job, source, schema, window }: Target): Promise<string> {
  const { query, queryName } = needed(job.labels);
  const { after } = needed(job.definition.labels);
  const bound = bindLabels(query, { window: window(), after, name: queryName, kind: job.kind });
  refuseTimeless(bound);
  const { outcome } = labelColumns(job.definition, await source.describe(bound), needed(schema));
  return `${queryName} has the key and ${outcome.name}, known ${counted(after, 'day')} after the end of a window`;
}

async function checkReportFolder(target: Target): Promise<string> {
  const { job, files: ofWarehouses, stores } = target;
  const files = filesOf(target);
  await refuseReserved(files, reservedFiles(job, ofWarehouses));
  for (const { path } of files) {
    const address = parseStoreAddress(path);
    if (address !== undefined) await stores.look(address);
    else await assertReportWritable(path, `${target.window().label}-${randomBytes(6).toString('hex')}`);
  }
  await assertObjectsWritable(files, stores);
  const templates = REPORT_KINDS.map((kind) => job.definition.report[kind]).filter((template) => template !== undefined);
  return `${templates.join(', ')} can be written`;
}

/** The report files of the last window. */
function filesOf({ job, window }: Target): readonly ReportFile[] {
  return reportFiles(job.definition.report, window(), job.root);
}

async function checkSink({ job: { definition }, sink, reachSink }: Target): Promise<string> {
  if (definition.sink.warehouse === undefined) await reachSink();
  return await sink.probe(Object.values(tableNames(definition)).filter((name) => name !== undefined));
}

/** Loaded only for a job with `delivery`. */
async function checkDeliveryTargets({ job, context }: Target): Promise<string> {
  const { checkDelivery } = await import('../delivery/check.ts');
  return await checkDelivery(needed(job.definition.delivery), context.environment);
}

/** @throws Error if a check runs although it does not apply */
function needed<T>(found: T | undefined): T {
  if (found === undefined) throw new Error('a check ran without the result of an earlier one');
  return found;
}

function showCheck({ check, ok, found, hint }: CheckResult): string {
  const lines = [`${ok ? 'ok    ' : 'FAILED'}  ${check}: ${found}`, ...(hint === null ? [] : [`hint: ${hint}`])];
  return lines.join('\n').replaceAll('\n', '\n        ');
}

function lastWindow({ definition }: Job, now: number): Window {
  const grain = definition.every === 'day' ? 'date' : definition.every;
  return windowFromFlags({ [grain]: true }, definition.time_zone, now);
}
