import { incrementalJob } from '../domain/slice.ts';
import { parseTableName, sibling, suffixed, type TableName } from '../domain/table-name.ts';
import { ScoreBatchError } from '../errors.ts';
import type { JobDefinition } from '../job/schema.ts';

type Incremental = NonNullable<JobDefinition['incremental']>;

/** What a job compares with its batch, and where. */
export interface ShadowSpec {
  /** Names of the batch's job and of its slices in ledger and tables. */
  readonly job: string;
  readonly slices: string;
  readonly incremental: Incremental;
  readonly shadow: NonNullable<Incremental['shadow']>;
  readonly scores: TableName;
  readonly quarantine: TableName;
  readonly ledger: TableName;
  readonly current: TableName;
  readonly boundary: TableName;
  readonly view: TableName;
}

/** Undefined if the job compares nothing. */
export function shadowSpec({ name, incremental, sink }: JobDefinition): ShadowSpec | undefined {
  const shadow = incremental?.shadow;
  if (incremental === undefined || shadow === undefined) return undefined;
  const [scores, current] = [nameOf(sink.table), nameOf(incremental.table)];
  return {
    ...{ job: name, slices: incrementalJob(name), incremental, shadow, scores, current },
    quarantine: suffixed(scores, '_quarantine'),
    ledger: sibling(scores, 'score_batch_ledger'),
    boundary: suffixed(current, '_boundary'),
    view: nameOf(shadow.view),
  };
}

/** @throws ScoreBatchError `configuration` if the job compares nothing */
export function demandShadow(definition: JobDefinition): ShadowSpec {
  const spec = shadowSpec(definition);
  if (spec !== undefined) return spec;
  throw new ScoreBatchError('configuration', `${definition.name} has no incremental.shadow in its job file`, {
    hint: 'add incremental with shadow: { view: … } to the job file, to compare slices with the batch',
  });
}

function nameOf(text: string): TableName {
  const name = parseTableName(text);
  if (name === undefined) throw new Error(`${text} passed the job file's check but is not a table name`);
  return name;
}
