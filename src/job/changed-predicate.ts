import type { WarehouseKind } from '../domain/warehouse-kind.ts';
import { ScoreBatchError } from '../errors.ts';

/** The parameter of a slice's keys; it has no value, but stands for a relation, in one form of predicate only. */
export const CHANGED_KEYS = 'changed_keys';

/** Replaces the predicate if no user is left out. */
export const ALL_USERS = '1 = 1';

/** `<columns> in (:changed_keys)` in a query's text. */
export interface ChangedPredicate {
  /** Position of the predicate, `[start, end)`. */
  readonly start: number;
  readonly end: number;
  /** As written in the query: `u.user_id`, or `a`, `b` of `(a, b)`. */
  readonly columns: readonly string[];
}

const QUOTED: Readonly<Record<WarehouseKind, string>> = {
  duckdb: '"(?:[^"]|"")+"',
  bigquery: '`(?:[^`\\\\]|\\\\.)+`',
  snowflake: '"(?:[^"]|"")+"',
};

/** Anything else before a predicate might negate it, or use it as a value. */
const BEFORE = /(?:^|[^\w$"`.])(?:where|and|on|having|qualify)([\s(]*)$/i;

/** An OR or an operator would give the predicate a meaning other than leaving out users. */
const AFTER =
  /^\s*(?:$|[);]|--|#|\/[*/]|(?:and|where|group|order|having|qualify|window|limit|union|except|intersect|join|left|right|inner|full|cross)\b)/i;

/**
 * The predicate around a `:changed_keys`.
 *
 * @param at index of the colon
 * @param where the query's file or its key in the job file, for messages
 * @throws ScoreBatchError `configuration` for any other use of the parameter
 */
export function changedPredicate(sql: string, at: number, kind: WarehouseKind, where: string): ChangedPredicate {
  const part = `(?:[A-Za-z_][\\w$]*|${QUOTED[kind]})`;
  const name = `${part}(?:\\s*\\.\\s*${part})*`;
  const before = new RegExp(`(?:(${name})\\s+|(\\(\\s*${name}(?:\\s*,\\s*${name})*\\s*\\))\\s*)in\\s*\\(\\s*$`, 'i').exec(
    sql.slice(0, at),
  );
  const after = /^\s*\)/.exec(sql.slice(at + 1 + CHANGED_KEYS.length));
  if (before === null || after === null) throw misused(where);
  const start = before.index;
  const end = at + 1 + CHANGED_KEYS.length + after[0].length;
  const [, opened] = BEFORE.exec(sql.slice(0, start)) ?? [];
  if (opened === undefined) throw misused(where);
  // The predicate's own parentheses do not end it.
  const own = new RegExp(`^(?:\\s*\\)){0,${opened.replace(/[^(]/g, '').length}}`);
  if (!AFTER.test(sql.slice(end).replace(own, ''))) throw misused(where);
  const columns = [...(before[1] ?? before[2] ?? '').matchAll(new RegExp(name, 'g'))].map(([column]) => column);
  return { start, end, columns };
}

function misused(where: string): ScoreBatchError {
  return new ScoreBatchError('configuration', `${where} uses :${CHANGED_KEYS} other than as user_id in (:${CHANGED_KEYS})`, {
    details: [
      'write a column, or a list of columns in parentheses in the order of source.key, right after where, and, on, having or qualify,',
      'and combine the predicate with AND only',
    ],
    hint: `leave :${CHANGED_KEYS} out if the query has no place for it: a slice keeps only the users that changed`,
  });
}
