import { randomBytes } from 'node:crypto';
import path from 'node:path';
import type { Context } from '../context.ts';
import { counted } from '../domain/counted.ts';
import { showExecution } from '../domain/execution.ts';
import type { Schema } from '../domain/schema.ts';
import { tablesOf } from '../domain/tables.ts';
import type { Window } from '../domain/window.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Job } from '../job/load.ts';
import { bindWindow } from '../job/parameters.ts';
import { type Bundle, loadBundle } from '../model/bundle.ts';
import { verifyBundle } from '../model/verify.ts';
import { chooseColumns } from '../plan/columns.ts';
import { openWarehouses, reservedFiles, tableNames } from '../plan/warehouses.ts';
import { assertReportWritable } from '../report/file.ts';
import { reportFile } from '../report/place.ts';
import { refuseReserved } from '../report/reserved.ts';
import { withoutSecrets } from '../secrets.ts';
import { windowFromFlags } from '../window/flags.ts';
import { namedJob } from './named-job.ts';
import type { JobFlags } from './options.ts';

interface CheckResult {
  readonly check: string;
  readonly ok: boolean;
  readonly found: string;
  readonly hint: string | null;
}

interface CheckOutcome {
  readonly data: { readonly job: string; readonly ok: boolean; readonly checks: readonly CheckResult[] };
  readonly text: string;
  /** What of the text failed; empty where nothing did. */
  readonly failed: string;
  /** The first failure; decides the exit code. */
  readonly failure: ScoreBatchError | undefined;
}

/** Model, execution provider, connections and rights, each by itself, so that one failure does not hide the next. */
export async function checkCommand(flags: JobFlags, context: Context): Promise<CheckOutcome> {
  const job = await namedJob(flags, context);
  const checks: CheckResult[] = [];
  let failure: ScoreBatchError | undefined;
  const check = async <T>(name: string, work: () => Promise<readonly [found: string, value: T]>): Promise<T | undefined> => {
    try {
      const [found, value] = await work();
      checks.push({ check: name, ok: true, found, hint: null });
      return value;
    } catch (error) {
      // Of a bug, or of a signal, the list says nothing that helps.
      if (!(error instanceof ScoreBatchError)) throw error;
      failure ??= error;
      const found = withoutSecrets([error.message, ...error.details].join('; '));
      checks.push({ check: name, ok: false, found, hint: error.hint ?? null });
      return undefined;
    }
  };
  const { definition, root } = job;
  const { source, sink } = await openWarehouses(job, context);
  const bundle = await check<Bundle>('model', async () => {
    const loaded = await loadBundle(path.resolve(root, definition.model));
    return [`${loaded.definition.name} ${loaded.definition.version}, sha256 ${loaded.digest.slice(0, 12)}…`, loaded];
  });
  if (bundle) {
    await check('golden rows', async () => {
      const { execution, rows, largest } = await verifyBundle(bundle, {
        providers: definition.score.providers,
        requireGpu: definition.score.require_gpu,
      });
      const found = `${counted(rows, 'row agrees', 'rows agree')} on ${execution.provider}, largest difference ${largest.toExponential(1)}`;
      return [[found, ...showExecution(execution)].join('\n'), undefined];
    });
  }
  await check('source', async () => [await source.source.probe(), undefined]);
  const schema = await check<Schema>('query', async () => {
    const found = await source.source.describe(bindWindow(job.query, lastWindow(job, context.now), job.queryName, job.kind));
    return [`${job.queryName} has ${counted(found.length, 'column')}`, found];
  });
  if (bundle && schema) {
    await check('tables', async () => {
      const { key, keep } = chooseColumns(definition, schema, bundle);
      const differences = await sink.sink.differences(
        tablesOf(tableNames(definition), key, keep, definition.score.column, definition.sink.layout),
      );
      if (differences.length === 0) return ['as they should be, where they are there; a run makes the others', undefined];
      throw new ScoreBatchError('configuration', differences.join('; '), {
        hint: 'name another table in the job, or rename the old one',
      });
    });
  }
  if (schema && definition.source.ready !== undefined) {
    const ready = bindWindow(definition.source.ready, lastWindow(job, context.now), 'source.ready', job.kind);
    await check('readiness', async () => [
      (await source.source.ready(ready))
        ? `the source is ready for ${lastWindow(job, context.now).label}`
        : 'the source is not ready yet; a run would end with 69',
      undefined,
    ]);
  }
  const { csv } = definition.report;
  if (csv !== undefined) {
    await check('report folder', async () => {
      const { label } = lastWindow(job, context.now);
      const file = reportFile(csv, { label }, root);
      await refuseReserved(file, reservedFiles(job, { source, sink }));
      await assertReportWritable(file, `${label}-${randomBytes(6).toString('hex')}`);
      return [`${csv} can be written`, undefined];
    });
  }
  await check('sink', async () => {
    if (definition.sink.warehouse === undefined) await sink.reach();
    return [await sink.sink.probe(Object.values(tableNames(definition)).filter((name) => name !== undefined)), undefined];
  });
  const text = checks.map(showCheck);
  return {
    data: { job: definition.name, ok: failure === undefined, checks },
    text: text.join('\n'),
    failed: text.filter((_, i) => checks[i]?.ok === false).join('\n'),
    failure,
  };
}

function showCheck({ check, ok, found, hint }: CheckResult): string {
  const lines = [`${ok ? 'ok    ' : 'FAILED'}  ${check}: ${found}`, ...(hint === null ? [] : [`hint: ${hint}`])];
  return lines.join('\n').replaceAll('\n', '\n        ');
}

/** The window that a run without a value would take. */
function lastWindow({ definition }: Job, now: number): Window {
  const grain = definition.every === 'day' ? 'date' : definition.every;
  return windowFromFlags({ [grain]: true }, definition.time_zone, now);
}
