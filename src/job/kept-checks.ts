import type { Problem } from '../yaml/checked.ts';
import type { JobDefinition } from './schema.ts';

/** Rows that are tapped leave nothing to keep. */
export function keptRowsAreFrozen({ source }: JobDefinition): Problem[] {
  if (source.keep_rows === undefined || source.freeze !== 'never') return [];
  return [
    {
      path: ['source', 'freeze'],
      message: 'source.keep_rows keeps frozen rows, and freeze: never makes none; leave freeze out, or set it to always',
    },
  ];
}
