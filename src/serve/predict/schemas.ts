import { type Feature, featuresOf, type InputDtype } from '../../domain/signature.ts';
import { REASONS } from '../../features/rejection.ts';
import type { OnlineModel } from '../online-model.ts';

/** A schema of OpenAPI 3.1, in JSON Schema 2020-12. */
export type Schema = Readonly<Record<string, unknown>>;

const LARGEST_FLOAT32 = 2 ** 128 - 2 ** 104;

/** Rows that can be scored: types, ranges, categories, and required features. */
export function rowSchema(model: OnlineModel, text: number): Schema {
  const features = featuresOf(model.bundle.signature);
  return {
    type: 'object',
    description: `A row that ${model.name} scores.`,
    properties: {
      ...keysSchema(model, text),
      ...Object.fromEntries(features.map(({ feature, dtype }) => [feature.name, scoredValue(feature, dtype, text)])),
    },
    required: features
      .filter(({ feature }, i) => !feature.nullable && !model.features?.stored[i])
      .map(({ feature }) => feature.name),
    additionalProperties: false,
  };
}

/** Rows that get an answer: those outside `rowSchema` are rejected individually, with feature and reason. */
export function anyRowSchema(model: OnlineModel, text: number): Schema {
  const features = featuresOf(model.bundle.signature);
  return {
    type: 'object',
    description: 'A row that gets an answer: a prediction, or the reason why it cannot be scored.',
    properties: {
      ...keysSchema(model, text),
      ...Object.fromEntries(
        features.map(({ feature, dtype }) => [feature.name, orNull({ type: TYPES[dtype], ...widest(dtype, text) })]),
      ),
    },
    additionalProperties: false,
  };
}

/** @param rows schemas of a row */
export function requestSchema(model: OnlineModel, key: string, rows: readonly Schema[]): Schema {
  const list = { type: 'array', minItems: 1, maxItems: model.maxRows, items: rows.length === 1 ? rows[0] : { anyOf: rows } };
  return { type: 'object', properties: { [key]: list }, required: [key], additionalProperties: false };
}

/** Label and probability of each class, or the score. */
export function predictionSchema({ classes, bundle }: OnlineModel): Schema {
  if (classes === undefined) {
    return { type: 'object', properties: { score: probability() }, required: ['score'], additionalProperties: false };
  }
  const probabilities = {
    type: 'object',
    properties: Object.fromEntries(classes.map((name) => [name, probability()])),
    required: classes,
    additionalProperties: false,
  };
  const label = bundle.signature.classes?.label === undefined ? {} : { label: { type: 'string', enum: classes } };
  const properties = { ...label, probabilities };
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false };
}

/** Why a row has no prediction. */
export function rejectedSchema({ bundle }: OnlineModel): Schema {
  const names = featuresOf(bundle.signature).map(({ feature }) => feature.name);
  const rejected = {
    type: 'object',
    properties: {
      reason: { type: 'string', enum: REASONS },
      feature: { type: 'string', enum: names, description: 'absent if the score is the reason' },
    },
    required: ['reason'],
    additionalProperties: false,
  };
  return { type: 'object', properties: { rejected }, required: ['rejected'], additionalProperties: false };
}

/** One prediction of KServe's V1; see `v1Answer`. */
export function v1PredictionSchema({ classes, bundle }: OnlineModel): Schema {
  if (classes === undefined) return probability();
  if (bundle.signature.classes?.label !== undefined) return { type: 'string', enum: classes };
  const { length } = classes;
  return { type: 'array', minItems: length, maxItems: length, items: probability(), description: classes.join(', ') };
}

/** Keys to look up features that a row does not have. */
function keysSchema({ features }: OnlineModel, text: number): Schema {
  const description = 'looks up the features that the row does not have';
  return Object.fromEntries(
    (features?.keys ?? []).map(({ name, kind }) => {
      const whole = { type: 'integer', ...widest('int64', text) };
      const written = { type: 'string', maxLength: text };
      if (kind === 'text') return [name, { ...written, description }];
      return [name, { anyOf: [whole, kind === 'any' ? written : { type: 'string', pattern: '^-?[0-9]{1,19}$' }], description }];
    }),
  );
}

const TYPES: Readonly<Record<InputDtype, string>> = {
  float32: 'number',
  float64: 'number',
  int64: 'integer',
  bool: 'boolean',
  string: 'string',
};

function scoredValue(feature: Feature, dtype: InputDtype, text: number): Schema {
  const { nullable, range, categories, unknown } = feature;
  const value = { type: TYPES[dtype], ...widest(dtype, text) };
  const scored: Schema = {
    ...value,
    ...(dtype === 'float32' && { minimum: -LARGEST_FLOAT32, maximum: LARGEST_FLOAT32 }),
    ...(range && { minimum: range[0], maximum: range[1] }),
    ...(categories && (unknown === 'quarantine' ? { enum: categories } : { examples: categories })),
  };
  // A default that only replaces unknown categories does not fill in missing values.
  const filler = nullable && feature.default !== undefined ? { default: feature.default } : {};
  return { ...(nullable ? orNull(scored) : scored), ...filler };
}

function widest(dtype: InputDtype, text: number): Schema {
  if (dtype === 'int64') return { minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER };
  return dtype === 'string' ? { maxLength: text } : {};
}

function orNull(schema: Schema): Schema {
  const { type, enum: values } = schema;
  return { ...schema, type: [type, 'null'], ...(Array.isArray(values) && { enum: [...values, null] }) };
}

function probability(): Schema {
  return { type: 'number', description: '0 to 1, not rounded, so it may be up to 5e-7 outside' };
}
