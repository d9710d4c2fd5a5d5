import type { TopRow } from '../../domain/reasons.ts';
import type { Column } from '../../domain/schema.ts';
import { stagedColumn, stagedKey } from '../../domain/staged-columns.ts';
import { SCORE_SCALE } from '../../domain/tables.ts';
import type { Dialect } from '../dialect.ts';
import type { TextRow } from '../reader.ts';
import { keyHash } from './dialect.ts';
import { keyOrder } from './key-order.ts';

export interface TopOptions {
  /** FROM clause with the rows of the pinned attempts. */
  readonly staged: string;
  readonly key: readonly Column[];
  readonly rows: number;
  /** Whether the sink `stagesText`. */
  readonly stagesText: boolean;
  /** Column with the hash of the encoded features, if there is one. */
  readonly featureHash?: string;
}

/** Selects the scored rows of the top ranks, in rank order; see `toTopRow`. */
export function selectTop(dialect: Dialect, { staged, key, rows, stagesText, featureHash }: TopOptions): string {
  const order = `score DESC, ${keyOrder(dialect, key, stagesText).join(', ')}`;
  const passed = [...key.map((_, i) => stagedKey(i)), 'score', ...(featureHash === undefined ? [] : [featureHash])];
  const integer = (expression: string) => dialect.text(expression, { type: 'integer' });
  const millionths = `CAST(score * ${10 ** SCORE_SCALE} AS ${dialect.type({ type: 'integer' })})`;
  const columns = [
    `${integer(keyHash(dialect, stagedKeys(key, stagesText)))} AS key_hash`,
    `${integer(millionths)} AS millionths`,
    `${featureHash === undefined ? dialect.literal('') : integer(featureHash)} AS feature_hash`,
  ];
  // Compute hashes for the selected rows only.
  return `SELECT ${columns.join(', ')} FROM (SELECT ${passed.join(', ')} FROM ${staged} WHERE score IS NOT NULL
    ORDER BY ${order} LIMIT ${rows}) top_rows ORDER BY ${order}`;
}

export function toTopRow([hash, millionths, featureHash]: TextRow): TopRow {
  return { keyHash: String(hash), millionths: Number(millionths), featureHash: featureHash || undefined };
}

/** The key's columns as named and typed in staging. */
export function stagedKeys(key: readonly Column[], stagesText: boolean): Column[] {
  return key.map((column, i) => (stagesText ? stagedColumn(column, stagedKey(i)) : { ...column, name: stagedKey(i) }));
}
