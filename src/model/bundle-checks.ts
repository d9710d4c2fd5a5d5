import { counted } from '../domain/counted.ts';
import { type FeatureReference, isCategorical } from '../domain/feature-drift.ts';
import type { InputDtype } from '../domain/signature.ts';
import type { Problem } from '../yaml/checked.ts';
import type { BundleDefinition } from './bundle-schema.ts';
import { templateProblems } from './reason-template.ts';

type Input = BundleDefinition['inputs'][number];
type Column = Input['columns'][number];

const OF_SCORE = 'score does not say which class it is about; write classes instead, with a histogram per label';

/** Checks of `model.yaml` that involve several keys. */
export function bundleChecks({ inputs, output, reference }: BundleDefinition): Problem[] {
  const labels = 'labels' in output ? output.labels : [];
  const expected = new Set(labels.map((label) => `expected_${label}`));
  const seen = new Set<string>();
  const ofScore = { path: ['reference', 'score'], message: OF_SCORE };
  const found = [
    ...(labels.length > 0 && reference?.score !== undefined ? [ofScore] : []),
    ...inputs.flatMap((input, i) => [
      ...shapeProblems(input, ['inputs', i]),
      ...input.columns.flatMap((column, j) => {
        const path = ['inputs', i, 'columns', j];
        const repeated = seen.has(column.name);
        seen.add(column.name);
        return [
          ...(expected.has(column.name)
            ? [{ path, message: `${column.name} is the name of an expected value in golden.csv: rename the feature` }]
            : []),
          ...(repeated ? [{ path, message: `the column ${column.name} feeds two inputs` }] : []),
          ...columnProblems(column, input.dtype).map((message) => ({ path, message: `${column.name}: ${message}` })),
        ];
      }),
    ]),
  ];
  const dtypes = new Map(inputs.flatMap(({ dtype, columns }) => columns.map(({ name }) => [name, dtype] as const)));
  const references = Object.entries(reference?.features ?? {}).flatMap(([name, one]) => {
    const message = referenceProblem(one, dtypes.get(name));
    return message === undefined ? [] : [{ path: ['reference', 'features', name], message }];
  });
  return [...found, ...references, ...classReferences(output, reference)];
}

function classReferences(output: BundleDefinition['output'], reference: BundleDefinition['reference']): Problem[] {
  const labels = 'labels' in output ? output.labels : [];
  return Object.keys(reference?.classes ?? {})
    .filter((label) => !labels.includes(label))
    .map((label) => ({ path: ['reference', 'classes', label], message: `output has no label ${label}` }));
}

function referenceProblem(reference: FeatureReference, dtype: InputDtype | undefined): string | undefined {
  if (dtype === undefined) return 'no input has this column';
  if (!isCategorical(reference)) return dtype === 'string' ? 'a string has no histogram; write categories' : undefined;
  if (dtype !== 'string' && dtype !== 'bool') return `a ${dtype} has no categories; write edges and shares`;
  const strange = dtype === 'bool' && Object.keys(reference.categories).some((name) => name !== 'true' && name !== 'false');
  return strange ? 'the categories of a bool are true and false' : undefined;
}

function shapeProblems({ name, shape, columns }: Input, path: (string | number)[]): Problem[] {
  if (shape[1] === columns.length) return [];
  return [{ path: [...path, 'shape'], message: `${name} is ${shape[1]} wide but has ${counted(columns.length, 'column')}` }];
}

function columnProblems(column: Column, dtype: InputDtype): string[] {
  const floating = dtype === 'float32' || dtype === 'float64';
  const hasDefault = column.default !== undefined;
  return [
    ...(column.nullable && !hasDefault && !floating ? [`nullable ${dtype} needs a default: only a float can be NaN`] : []),
    ...(hasDefault && !fits(column.default, dtype) ? [`the default ${column.default} is not a valid ${dtype}`] : []),
    ...(hasDefault && !column.nullable && column.unknown !== 'default'
      ? ['a default without nullable: true is never used']
      : []),
    ...(column.range && (dtype === 'string' || dtype === 'bool') ? [`a ${dtype} has no range`] : []),
    ...(column.categories && dtype !== 'string' ? ['categories are for strings'] : []),
    ...(column.unknown === 'default' && !hasDefault ? ['unknown: default needs a default'] : []),
    ...(column.unknown !== 'quarantine' && dtype !== 'string' ? ['unknown is for strings'] : []),
    // Without either, a column that spells the same categories differently would get wrong scores.
    ...(dtype === 'string' && !column.categories && column.unknown !== 'allow'
      ? ['a text feature needs categories, or unknown: allow if the model takes any text']
      : []),
    ...templateProblems(column.reason ?? ''),
  ];
}

function fits(value: Column['default'], dtype: InputDtype): boolean {
  switch (dtype) {
    case 'string':
      return typeof value === 'string';
    case 'bool':
      return typeof value === 'boolean';
    case 'int64':
      return Number.isSafeInteger(value);
    case 'float32':
    case 'float64':
      return typeof value === 'number';
  }
}
