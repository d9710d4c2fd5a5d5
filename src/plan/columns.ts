import { type Column, findColumn, type Schema } from '../domain/schema.ts';
import { ScoreBatchError } from '../errors.ts';
import type { JobDefinition } from '../job/schema.ts';
import type { Bundle } from '../model/bundle.ts';
import { featureColumns } from '../model/query-check.ts';
import { nearest } from '../suggest.ts';

/** Columns of the query by what they are for. */
export interface ChosenColumns {
  readonly key: readonly Column[];
  readonly keep: readonly Column[];
  /** Columns that feed the model's features, in their order. */
  readonly features: readonly Column[];
  /** All of them, each once. */
  readonly needed: readonly Column[];
}

/** @throws ScoreBatchError `configuration` where a column is missing, or its type cannot serve */
export function chooseColumns(definition: JobDefinition, schema: Schema, bundle: Bundle): ChosenColumns {
  const repeated = schema.find(
    ({ name }, i) => schema.findIndex((other) => other.name.toLowerCase() === name.toLowerCase()) !== i,
  );
  if (repeated) {
    throw new ScoreBatchError('configuration', `the query has two columns ${repeated.name}`, {
      hint: 'give each its own name with AS',
    });
  }
  const taken = schema.find(({ name }) => name.toLowerCase().startsWith('score_batch_'));
  if (taken) {
    throw new ScoreBatchError(
      'configuration',
      `the query has a column ${taken.name}; names that begin with score_batch_ are ours`,
      {
        hint: 'rename it with AS',
      },
    );
  }
  const key = named(definition.source.key, schema, 'source.key');
  for (const { name, native, type } of key) {
    if (type !== 'float' && type !== 'other') continue;
    throw new ScoreBatchError('configuration', `the key column ${name} is ${native}, which cannot be compared exactly`, {
      hint: 'cast it in the query to an integer, a decimal or text',
    });
  }
  const keep = named(definition.sink.keep, schema, 'sink.keep');
  for (const { name, native, type } of keep) {
    if (type !== 'other') continue;
    throw new ScoreBatchError('configuration', `the kept column ${name} is ${native}, which cannot be published`, {
      hint: 'cast it to text in the query',
    });
  }
  for (const name of definition.report.segments) {
    const column = keep.find((other) => other.name.toLowerCase() === name.toLowerCase());
    if (column?.type !== 'float') continue;
    throw new ScoreBatchError(
      'configuration',
      `the segment ${name} is ${column.native}, of which no two users may have the same`,
      {
        hint: 'cast it in the query to text or to whole numbers, or make bands of it with CASE',
      },
    );
  }
  const features = featureColumns(bundle.signature, schema, definition.features);
  const seen = new Set<string>();
  const needed = [...key, ...keep, ...features].filter(
    ({ name }) => !seen.has(name.toLowerCase()) && seen.add(name.toLowerCase()),
  );
  return { key, keep, features, needed };
}

function named(names: readonly string[], schema: Schema, where: string): Column[] {
  return names.map((name) => {
    const column = findColumn(schema, name);
    if (column) return { ...column, name };
    const all = schema.map((other) => other.name);
    throw new ScoreBatchError('configuration', `the query has no column ${name}, which ${where} names`, {
      hint: nearest(name, all) === undefined ? `it has ${all.join(', ')}` : `did you mean ${nearest(name, all)}?`,
    });
  });
}
