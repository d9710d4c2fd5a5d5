import { ALONE, type Shard } from '../domain/sharing.ts';
import type { WarehouseKind } from '../domain/warehouse-kind.ts';
import { ScoreBatchError } from '../errors.ts';

export interface ShardFlags {
  /** `2/8`, counted from 1. */
  readonly shard?: string;
  readonly shards?: number;
}

/** Variables in which schedulers set this process's index, from 0, and the number of processes. Kubernetes sets no number. */
const SCHEDULERS: readonly (readonly [index: string, count: string | undefined])[] = [
  ['JOB_COMPLETION_INDEX', undefined],
  ['CLOUD_RUN_TASK_INDEX', 'CLOUD_RUN_TASK_COUNT'],
  ['AWS_BATCH_JOB_ARRAY_INDEX', 'AWS_BATCH_JOB_ARRAY_SIZE'],
];

const HINT = 'use --shard 2/8 for the second of eight, or --shards 8 if the scheduler sets the index';

/**
 * The shard from the flags, otherwise from the scheduler. If neither is set, this process scores everything.
 *
 * @throws ScoreBatchError `usage` if they name an impossible shard
 */
export function chooseShard({ shard, shards }: ShardFlags, environment: NodeJS.ProcessEnv): Shard {
  if (shard !== undefined) {
    const [, index, count] = /^(\d+)\/(\d+)$/.exec(shard) ?? [];
    if (shards !== undefined && shards !== Number(count)) {
      throw new ScoreBatchError('usage', `--shard ${shard} and --shards ${shards} contradict each other`, {
        hint: 'remove --shards',
      });
    }
    return checked(Number(index) - 1, Number(count), `--shard ${shard}`);
  }
  const { SCORE_BATCH_SHARDS: configured } = environment;
  const wanted = shards ?? (configured ? Number(configured) : undefined);
  if (wanted !== undefined && !(Number.isInteger(wanted) && wanted > 0)) {
    throw new ScoreBatchError('usage', `SCORE_BATCH_SHARDS=${configured} is not a valid number of shards`, { hint: HINT });
  }
  const [index, count] = SCHEDULERS.find(([variable]) => environment[variable]) ?? [];
  if (index === undefined) {
    if (wanted === undefined || wanted === 1) return ALONE;
    const variables = SCHEDULERS.map(([variable]) => variable).join(', ');
    throw new ScoreBatchError('usage', `there are ${wanted} shards, but the shard of this process is unknown`, {
      hint: `use --shard i/${wanted}, or let the scheduler set one of ${variables}`,
    });
  }
  const reported = count === undefined ? undefined : environment[count];
  if (reported && wanted !== undefined && Number(reported) !== wanted) {
    throw new ScoreBatchError('usage', `--shards or SCORE_BATCH_SHARDS says ${wanted} shards, but ${count} says ${reported}`, {
      hint: 'remove --shards and SCORE_BATCH_SHARDS',
    });
  }
  if (wanted === undefined && !reported) {
    throw new ScoreBatchError('usage', `${index} is set, but the number of shards is unknown`, {
      hint: 'add --shards with the number of processes, or set SCORE_BATCH_SHARDS',
    });
  }
  return checked(Number(environment[index]), wanted ?? Number(reported), `${index}=${environment[index]}`);
}

function checked(index: number, count: number, what: string): Shard {
  if (Number.isInteger(index) && Number.isInteger(count) && index >= 0 && index < count) return { index, count };
  throw new ScoreBatchError('usage', `${what} is not a valid shard${Number.isInteger(count) ? ` of ${count}` : ''}`, {
    hint: HINT,
  });
}

/** @throws ScoreBatchError `configuration` if shards on other machines could not reach the warehouse */
export function refuseLocalShards({ count }: Shard, kinds: readonly WarehouseKind[]): void {
  if (count === 1 || !kinds.includes('duckdb')) return;
  throw new ScoreBatchError(
    'configuration',
    'a DuckDB file is local to one machine, so its windows cannot be scored in shards',
    {
      hint: 'remove the shard: one process uses all cores (see --workers)',
    },
  );
}
