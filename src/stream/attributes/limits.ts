import { createHash } from 'node:crypto';
import { counted } from '../../domain/counted.ts';
import { ScoreBatchError } from '../../errors.ts';

/** How much may be held in memory. */
export interface AttributeLimits {
  readonly rows: number;
  /** Estimated. */
  readonly bytes: number;
}

/** @throws ScoreBatchError `unavailable` if `held` exceeds the limits */
export function refuseBeyond(held: AttributeLimits, limits: AttributeLimits, where: string): void {
  if (held.rows > limits.rows) throw tooMany(counted(limits.rows, 'row'), where, 'limits.attribute_rows');
  if (held.bytes > limits.bytes) throw tooMany(counted(limits.bytes, 'byte'), where, 'limits.attribute_bytes');
}

function tooMany(most: string, where: string, setting: string): ScoreBatchError {
  return new ScoreBatchError('unavailable', `the attributes of ${where} exceed the limit of ${most}`, {
    hint: `raise ${setting} in the job file if the machine has the memory, or use fewer columns and keys`,
  });
}

/** A key as shown in messages: hashed, because logs hold no values. */
export function hashedKey(key: string): string {
  return `sha256 ${createHash('sha256').update(key).digest('hex').slice(0, 16)}…`;
}
