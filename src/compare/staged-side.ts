import type { Column } from '../domain/schema.ts';
import { isStagedAsText, stagedKey } from '../domain/staged-columns.ts';
import { SCORE_SCALE, type TableColumn } from '../domain/tables.ts';
import type { Dialect } from '../warehouse/dialect.ts';
import { inMillionths, type ScoredRows } from './scored-rows.ts';

interface StagedRows {
  /** FROM clause from `Sink.readStaged`. */
  readonly staged: string;
  readonly key: readonly Column[];
  /** Whether the sink `stagesText`. */
  readonly stagesText: boolean;
}

/** Rows that are staged, not published, and so have no bands yet. */
export function stagedRows(dialect: Dialect, { staged, key, stagesText }: StagedRows): ScoredRows {
  const columns = key as readonly TableColumn[];
  const keys = columns.map((column, i) => {
    const name = stagedKey(i);
    const value =
      stagesText && isStagedAsText(key[i] ?? { type: 'string' }) ? `CAST(${name} AS ${dialect.type(column)})` : name;
    return `${value} AS key_${i}`;
  });
  const score = `CAST(score AS ${dialect.type({ type: 'decimal', digits: [7, SCORE_SCALE] })})`;
  return {
    select: `SELECT ${keys.join(', ')}, ${inMillionths(dialect, score)} AS millionths FROM ${staged}`,
    key: columns.map(({ name, type, digits }) => ({ name, type, ...(digits && { digits }) })),
    banded: false,
  };
}
