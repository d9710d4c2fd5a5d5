import { type Column, findColumn, type Schema } from '../domain/schema.ts';
import { ScoreBatchError } from '../errors.ts';
import type { JobDefinition } from '../job/schema.ts';
import type { Bundle } from '../model/bundle.ts';
import { featureColumns } from '../model/query-check.ts';
import { nearest } from '../suggest.ts';

/** Columns of the query by role. */
export interface ChosenColumns {
  readonly key: readonly Column[];
  /** Columns published beside the score. */
  readonly keep: readonly Column[];
  /** Columns that feed the model's features, in the order of the features. */
  readonly features: readonly Column[];
  /** All of the above, without duplicates. */
  readonly needed: readonly Column[];
}

/** @throws ScoreBatchError `configuration` if a column is missing or has an unsupported type */
export function chooseColumns(definition: JobDefinition, schema: Schema, bundle: Bundle): ChosenColumns {
  const repeated = schema.find(
    ({ name }, i) => schema.findIndex((other) => other.name.toLowerCase() === name.toLowerCase()) !== i,
  );
  if (repeated) {
    throw new ScoreBatchError('configuration', `the query has two columns named ${repeated.name}`, {
      hint: 'rename one of them with AS',
    });
  }
  const taken = schema.find(({ name }) => name.toLowerCase().startsWith('score_batch_'));
  if (taken) {
    throw new ScoreBatchError(
      'configuration',
      `the query has a column ${taken.name}, but names that begin with score_batch_ are reserved`,
      {
        hint: 'rename it with AS',
      },
    );
  }
  const key = named(definition.source.key, schema, 'source.key');
  for (const { name, native, type } of key) {
    if (type !== 'float' && type !== 'other') continue;
    throw new ScoreBatchError('configuration', `the key column ${name} is ${native}, a type that cannot be compared exactly`, {
      hint: 'cast it to an integer, a decimal or text in the query',
    });
  }
  const keep = named(definition.sink.keep, schema, 'sink.keep');
  for (const { name, native, type } of keep) {
    if (type !== 'other') continue;
    throw new ScoreBatchError('configuration', `the kept column ${name} is ${native}, a type that cannot be published`, {
      hint: 'cast it to text in the query',
    });
  }
  for (const name of definition.report.segments) {
    const column = keep.find((other) => other.name.toLowerCase() === name.toLowerCase());
    if (column?.type !== 'float') continue;
    throw new ScoreBatchError(
      'configuration',
      `the segment ${name} is ${column.native}, so every user might have a different value`,
      {
        hint: 'cast it to text or to integers in the query, or group it into bands with CASE',
      },
    );
  }
  const features = featureColumns(bundle.signature, schema, definition.features);
  return { key, keep, features, needed: eachOnce([...key, ...keep, ...features]) };
}

/** Removes columns whose name, ignoring case, an earlier one has. */
export function eachOnce(columns: readonly Column[]): Column[] {
  const seen = new Set<string>();
  return columns.filter(({ name }) => !seen.has(name.toLowerCase()) && seen.add(name.toLowerCase()));
}

function named(names: readonly string[], schema: Schema, where: string): Column[] {
  return names.map((name) => {
    const column = findColumn(schema, name);
    if (column) return { ...column, name };
    const all = schema.map((other) => other.name);
    throw new ScoreBatchError('configuration', `${where} names ${name}, but the query has no such column`, {
      hint: nearest(name, all) === undefined ? `its columns are ${all.join(', ')}` : `did you mean ${nearest(name, all)}?`,
    });
  });
}
