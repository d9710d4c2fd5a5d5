import type { KeyValue } from '../serve/feature-lookup.ts';
import { FeastProblem } from './problem.ts';

/** Statuses of a value in Feast's protocol. */
const STATUSES = ['PRESENT', 'NULL_VALUE', 'NOT_FOUND', 'OUTSIDE_MAX_AGE'] as const;
type Status = (typeof STATUSES)[number];

/** A feature of an answer, with one value per entity. */
export interface AnswerColumn {
  readonly values: readonly unknown[];
  readonly statuses: readonly Status[];
  /** Undefined if Feast returns no timestamps. */
  readonly times: readonly unknown[] | undefined;
}

/** The columns of an answer by name: a join key by its own, a feature by its name or `view__feature`. */
export type Answer = ReadonlyMap<string, AnswerColumn>;

/**
 * Checks that an answer has Feast's feature-major form: one result per name, each with a value and a status per requested
 * entity.
 *
 * @throws FeastProblem `invalid`
 */
export function readAnswer(json: unknown, rows: number): Answer {
  const { metadata, results } = objectOf(json, 'the answer');
  const { feature_names: given } = objectOf(metadata, 'metadata');
  const names = Array.isArray(given) ? given : listOf(objectOf(given, 'feature_names').val, 'feature_names');
  const found = listOf(results, 'results');
  if (found.length !== names.length) throw invalid(`the answer has ${found.length} results for ${names.length} names`);
  const answer = new Map<string, AnswerColumn>();
  for (const [at, name] of names.entries()) {
    if (typeof name !== 'string' || answer.has(name)) throw invalid('the names of features are not distinct strings');
    answer.set(name, columnOf(found[at], rows));
  }
  return answer;
}

/**
 * Checks that an answer has the requested entities in order: otherwise a row would get another's features.
 *
 * @throws FeastProblem `invalid`
 */
export function checkEntities(answer: Answer, entities: ReadonlyMap<string, readonly KeyValue[]>): void {
  for (const [name, asked] of entities) {
    const values = answer.get(name)?.values;
    // Integers are numbers or, if large, bigints.
    if (values === undefined || asked.some((key, i) => !isKey(values[i]) || String(values[i]) !== String(key)))
      throw invalid('the answer is for other entities than the requested ones');
  }
}

function isKey(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint';
}

function columnOf(result: unknown, rows: number): AnswerColumn {
  const { values, statuses, event_timestamps: times } = objectOf(result, 'a result');
  return {
    values: listOf(values, 'values', rows),
    statuses: listOf(statuses, 'statuses', rows).map((status) => {
      const known = STATUSES.find((one) => one === status);
      if (known === undefined) throw invalid("a status is not one of Feast's");
      return known;
    }),
    times: times === undefined ? undefined : listOf(times, 'event_timestamps', rows),
  };
}

function objectOf(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(`${what} is not an object`);
  return value as Record<string, unknown>;
}

function listOf(value: unknown, what: string, length?: number): readonly unknown[] {
  if (!Array.isArray(value)) throw invalid(`${what} is not a list`);
  if (length !== undefined && value.length !== length)
    throw invalid(`${what} has ${value.length} elements for ${length} entities`);
  return value;
}

function invalid(message: string): FeastProblem {
  return new FeastProblem('invalid', message);
}
