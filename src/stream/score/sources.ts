import type { ColumnType } from '../../domain/schema.ts';
import { accepts, featuresOf, type Signature } from '../../domain/signature.ts';
import { ScoreBatchError } from '../../errors.ts';
import type { EventFeatures, FieldType, WindowFeature } from '../../event-features/definition.ts';
import { didYouMean, nearest } from '../../suggest.ts';

/** Where a feature of the model comes from: a window feature, a field of the event, or an attribute of its key. */
export interface Source {
  readonly from: 'window' | 'field' | 'attribute';
  /** Position among the window features, fields or attributes. */
  readonly at: number;
  readonly type: FieldType;
}

interface Offer {
  readonly signature: Signature;
  readonly features: EventFeatures;
  readonly attributes: readonly { readonly name: string; readonly type: FieldType }[];
  /** Feature of the model → name in the stream, where they differ. */
  readonly renamed: Readonly<Record<string, string>>;
}

const COLUMN_TYPES: Readonly<Record<FieldType, ColumnType>> = {
  string: 'string',
  int64: 'integer',
  float64: 'float',
  bool: 'bool',
};

/**
 * The source of each feature of the model, in its order.
 *
 * @throws ScoreBatchError `configuration` with every feature that has no source, or one of another type
 */
export function sourcesOf({ signature, features, attributes, renamed }: Offer): Source[] {
  const offered = new Map<string, Source[]>();
  const offer = (from: Source['from'], columns: readonly { readonly name: string; readonly type: FieldType }[]) => {
    for (const [at, { name, type }] of columns.entries()) offered.set(name, [...(offered.get(name) ?? []), { from, at, type }]);
  };
  offer('field', features.fields);
  offer(
    'window',
    features.features.map((feature) => ({ name: feature.name, type: typeOf(feature, features) })),
  );
  offer('attribute', attributes);
  const wanted = featuresOf(signature);
  const names = wanted.map(({ feature }) => feature.name);
  const problems = Object.keys(renamed)
    .filter((name) => !names.includes(name))
    .map((name) => `features: the model has no feature ${name}; ${didYouMean(name, names)}`);
  let lists = false;
  const sources = wanted.map(({ feature, dtype }): Source | undefined => {
    const name = Object.hasOwn(renamed, feature.name) ? (renamed[feature.name] as string) : feature.name;
    const what = name === feature.name ? name : `${feature.name} (${name})`;
    const [source, ...more] = offered.get(name) ?? [];
    if (source === undefined) {
      const near = nearest(name, [...offered.keys()]);
      lists ||= near === undefined;
      problems.push(`${what} is not a feature, field or attribute${near === undefined ? '' : `; did you mean ${near}?`}`);
    } else if (more.length > 0) {
      problems.push(`${what} is both a ${source.from} and an attribute; rename the attribute`);
    } else if (!accepts(dtype, { name, type: COLUMN_TYPES[source.type], native: source.type })) {
      problems.push(`${what} is ${source.type}, but the model takes ${dtype}`);
    } else return source;
    return undefined;
  });
  if (problems.length === 0) return sources.filter((source) => source !== undefined);
  // Once, not after each name.
  if (lists) problems.push(`the stream has ${[...offered.keys()].join(', ')}`);
  throw new ScoreBatchError('configuration', 'the model does not fit the features of the events', {
    details: problems,
    hint: 'map names that differ under features in the stream job file: `feature of the model: name in the feature file`',
  });
}

/** The type of a window feature. */
function typeOf({ aggregate, field }: WindowFeature, { fields }: EventFeatures): FieldType {
  switch (aggregate) {
    case 'count':
    case 'distinct':
    case 'since':
    case 'sum':
      return 'int64';
    case 'mean':
      return 'float64';
    default:
      return fields.find(({ name }) => name === field)?.type ?? 'float64';
  }
}
