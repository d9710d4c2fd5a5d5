import type { Context } from '../context.ts';
import { counted } from '../domain/counted.ts';
import { type Erased, erasePerson } from '../erase/erase.ts';
import { refuseOtherCount } from '../erase/person.ts';
import { ScoreBatchError } from '../errors.ts';
import type { EraseOutput } from '../json/changes.ts';
import { openWarehouses } from '../plan/warehouses.ts';
import { namedJob } from './named-job.ts';
import type { JobFlags } from './options.ts';
import { cleanReason, mentions } from './reason.ts';

export interface EraseFlags extends JobFlags {
  /** Values of the key's columns, in their order in `source.key`. */
  readonly key: readonly string[];
  readonly reason?: string;
  readonly dryRun?: boolean;
}

/** Removes a person from everything that the job has written. Neither output nor ledger name the person. */
export async function eraseCommand(flags: EraseFlags, context: Context): Promise<{ data: EraseOutput; text: string }> {
  const job = await namedJob(flags, context);
  const dryRun = flags.dryRun ?? false;
  refuseOtherCount(flags.key, job.definition);
  const reason = cleanReason(flags.reason);
  if (!dryRun && reason === '') {
    throw new ScoreBatchError('usage', 'an erasure needs a --reason', {
      hint: 'give a reason, such as the number of the request; the ledger keeps it, so it must not name the person',
    });
  }
  if (flags.key.some((value) => mentions(reason, value))) {
    throw new ScoreBatchError('usage', '--reason contains a value of the key, and the ledger would keep that', {
      hint: 'name the request instead, for example by its number',
    });
  }
  const warehouses = await openWarehouses(job, context);
  await warehouses.reachSink();
  const erased = await erasePerson(job, warehouses, { values: flags.key, reason, dryRun }, context);
  for (const warning of erased.warnings) context.console.warn(warning);
  if (isNothing(erased)) context.console.warn('nothing found: no table and no kept rows have this key');
  return { data: dataOf(job.definition.name, erased, dryRun), text: textOf(erased, dryRun) };
}

function isNothing({ rows, kept }: Erased): boolean {
  return Object.keys(rows).length === 0 && Object.keys(kept).length === 0;
}

function dataOf(job: string, { id, rows, kept, dropped, files, warnings }: Erased, dryRun: boolean): EraseOutput {
  return { job, erase_id: id ?? null, dry_run: dryRun, rows, kept_rows: kept, dropped, files, warnings };
}

function textOf({ id, rows, kept, dropped, files }: Erased, dryRun: boolean): string {
  const verb = dryRun ? 'would erase' : 'erased';
  return [
    ...Object.entries(rows).map(([table, count]) => `${verb} ${counted(count, 'row')} of ${table}`),
    ...Object.entries(kept).map(([run, count]) => `${verb} ${counted(count, 'row')} that run ${run} kept`),
    ...dropped.map((name) => `${dryRun ? 'would drop' : 'dropped'} ${name}`),
    ...files.map((file) => `wrote ${file} again`),
    ...(id === undefined ? [] : [`recorded as ${id}`]),
  ].join('\n');
}
