import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { stagedKeep, stagedKey } from '../../src/domain/staged-columns.ts';
import { RESERVED_COLUMNS, RESERVED_FOR_KEYS } from '../../src/domain/tables.ts';
import { repository } from './project.ts';

/** Places where SQL names something: a column, a table, a lambda parameter. Nothing else in src is in capitals. */
const NAMING = [
  /\bAS ([a-z_]\w*)/g,
  /\b(?:WITH|lambda) ([a-z_]\w*)/g,
  /, ([a-z_]\w*) AS \(/g,
  /\b(?:TABLE|VIEW|JOIN|FROM|INTO) (?:IF NOT EXISTS )?([a-z_]\w*)/g,
];
/** A subquery's name follows its bracket, in lines with SQL. */
const OF_SUBQUERY = /[)}] ([a-z_]\w*)/g;
const SQL = /\b(SELECT|FROM|GROUP BY|WHERE|UNION)\b/;

/** Generated names: columns by position in frozen rows, in staging, and in rows from other warehouses. */
const BY_PLACE = [
  // This name once clashed with a job's column.
  'part',
  'c0',
  'c1',
  'c2',
  't0',
  't1',
  stagedKey(0),
  stagedKey(1),
  stagedKeep(0),
  stagedKeep(1),
  'value_0',
];

/**
 * Every name that the SQL of src uses and that a job's own column can have, so without reserved names.
 * Read from the source, so new names are included.
 */
export function ownNames(): string[] {
  const src = repository('src');
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const found = new Set<string>(BY_PLACE);
  for (const file of files) {
    const text = readFileSync(path.join(src, file), 'utf8');
    const lines = text.split('\n').filter((line) => SQL.test(line));
    for (const naming of NAMING) for (const [, name = ''] of text.matchAll(naming)) found.add(name);
    for (const line of lines) for (const [, name = ''] of line.matchAll(OF_SUBQUERY)) found.add(name);
  }
  const taken = new Set([...RESERVED_COLUMNS, ...RESERVED_FOR_KEYS]);
  return [...found].filter((name) => !taken.has(name) && !name.startsWith('score_batch_')).sort();
}
