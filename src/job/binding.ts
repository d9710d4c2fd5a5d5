import type { Query, QueryParameter } from '../domain/query.ts';
import type { WarehouseKind } from '../domain/warehouse-kind.ts';
import { ScoreBatchError } from '../errors.ts';
import { didYouMean, nearest } from '../suggest.ts';
import { CHANGED_KEYS, type ChangedPredicate, changedPredicate } from './changed-predicate.ts';
import { codeRanges } from './sql-code.ts';

/** `:name` that is not part of a cast (`a::b`), a slice (`a[x:y]`) or a path (`a:b`). */
const REFERENCE = /(?<![:\w\])"]):([a-z_]\w*)/gi;

/** Start and end of a time span: as instants, as wall-clock times in the job's zone, and as dates. */
export function namesOf(span: string): string[] {
  return ['', '_local', '_date'].flatMap((form) => [`${span}_start${form}`, `${span}_end${form}`]);
}

export interface Binding {
  /** All parameters that the query may use. */
  readonly names: readonly string[];
  /** Reserved prefixes of names, such as `window`. */
  readonly prefixes: readonly string[];
  /** Returns one of the names with its value. */
  readonly parameter: (name: string) => QueryParameter;
  /** Returns the SQL to replace `… in (:changed_keys)`; undefined if the query may not use it. */
  readonly changed?: (predicate: ChangedPredicate) => string;
  /** The query's file or its key in the job file, for messages. */
  readonly where: string;
  readonly kind: WarehouseKind;
}

/**
 * Splits a query at its parameters. Ignores strings, comments, and names that are not similar to a parameter.
 *
 * @throws ScoreBatchError `configuration` for an unknown parameter that is similar to a known one
 */
export function bind(sql: string, binding: Binding): Query {
  const { names, prefixes, parameter, changed, where, kind } = binding;
  const known = changed === undefined ? names : [...names, CHANGED_KEYS];
  const texts: string[] = [];
  const parameters: QueryParameter[] = [];
  let text = '';
  let last = 0;
  const ranges = codeRanges(sql, kind);
  // Matches against the whole text, since a quoted name can precede the colon.
  for (const match of sql.matchAll(REFERENCE)) {
    if (!ranges.some(([start, end]) => match.index >= start && match.index < end)) continue;
    const word = (match[1] ?? '').toLowerCase();
    const isOwn = word.includes('_') && prefixes.includes(word.split('_', 1)[0] ?? '');
    if (!isOwn && nearest(word, known) === undefined) continue;
    if (changed !== undefined && word === CHANGED_KEYS) {
      const predicate = changedPredicate(sql, match.index, kind, where);
      text += sql.slice(last, predicate.start) + changed(predicate);
      last = predicate.end;
      continue;
    }
    if (!names.includes(word)) {
      throw new ScoreBatchError('configuration', `${where} uses the unknown parameter :${word}`, {
        hint: didYouMean(word, nearest(word, known) === CHANGED_KEYS ? known : names),
      });
    }
    texts.push(text + sql.slice(last, match.index));
    parameters.push(parameter(word));
    text = '';
    last = match.index + match[0].length;
  }
  texts.push(text + sql.slice(last));
  return { name: where, texts, parameters };
}
