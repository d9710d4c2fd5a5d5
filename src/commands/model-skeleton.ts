import { type ModelMetadata, showTensor, type TensorInfo } from '../domain/model-metadata.ts';
import { classLabels } from '../onnx/class-labels.ts';
import { type KnownValues, knownValues } from '../onnx/known-values.ts';
import { parseModel } from '../onnx/model.ts';
import type { SignatureColumn } from '../registry/mlflow-signature.ts';
import type { ModelBytes } from '../runtime/model-file.ts';
import { yamlText } from '../yaml/scalar.ts';

const OPTIONAL = '     # optional in the signature: add nullable: true and a default';

/** What the file reveals about each column of its inputs; empty if its graph cannot be followed. */
export function knownColumns(bytes: Uint8Array, inputs: readonly TensorInfo[]): KnownValues[] {
  try {
    return knownValues(
      bytes,
      inputs.map((input) => ({ name: input.name, width: widthOf(input) })),
    );
  } catch (error) {
    if (error instanceof RangeError) return [];
    throw error;
  }
}

/**
 * A `model.yaml` to start from: what is known from the file is filled in, the rest is in comments.
 *
 * @param signed columns named by a signature
 */
export function modelSkeleton(
  { digest, bytes }: ModelBytes,
  { inputs, outputs }: ModelMetadata,
  known: readonly KnownValues[],
  signed: readonly SignatureColumn[] = [],
): string {
  return [
    '# model.yaml for this file: name the columns, and declare nulls, ranges and categories',
    'name: my-model',
    'version: "1"',
    `sha256: ${digest}`,
    'inputs:',
    ...inputs.flatMap((input) => [
      `  - name: ${yamlText(input.name)}          # ${showTensor(input)}`,
      `    dtype: ${input.dtype}`,
      `    shape: [N, ${widthOf(input)}]`,
      '    columns:',
      ...Array.from({ length: widthOf(input) }, (_, position) =>
        columnLines(
          input,
          position,
          known.find((column) => column.input === input.name && column.position === position),
          signed.find((column) => column.input === input.name && column.position === position),
        ),
      ).flat(),
    ]),
    ...outputLines(bytes, outputs),
  ]
    .map((line) => line.replaceAll(/[\r\n]+/g, ' ')) // A line break in a name must not end a comment.
    .join('\n');
}

/** A model with three or more classes has no single score, so it gets the form with classes if the file names them. */
function outputLines(bytes: Uint8Array, outputs: readonly TensorInfo[]): string[] {
  const output = outputs.find(({ dtype }) => dtype === 'float32' || dtype === 'float64') ?? outputs[0];
  const [name, width] = [output?.name ?? '?', Number(output?.shape[1])];
  const declared = outputs.map((info) => `${info.name} ${showTensor(info)}`).join(', ');
  const golden = 'golden: { file: golden.csv, tolerance: 1e-6 }     # the columns, and';
  const labels = width > 2 ? labelsIn(bytes, name, width) : undefined;
  if (labels === undefined) {
    return [
      `output: { name: ${yamlText(name)}, index: ${width > 1 ? 1 : 0} }     # of ${declared}`,
      `${golden} expected_score`,
    ];
  }
  const label = outputs.find(({ dtype, shape: [, wide = 1] }) => (dtype === 'string' || dtype === 'int64') && wide === 1);
  const classes = labels.map((text) => JSON.stringify(text)).join(', ');
  return [
    `# The classes as the file names them. If one of them is the score: { name: ${yamlText(name)}, index: its position from 0 }`,
    `output: { ${label === undefined ? '' : `label: ${yamlText(label.name)}, `}probabilities: ${yamlText(name)}, labels: [${classes}] }     # of ${declared}`,
    `${golden} expected_${labels[0]} and so on for each label`,
  ];
}

/** The class names; undefined if the file has none, or several sets. */
function labelsIn(bytes: Uint8Array, probabilities: string, classes: number): readonly string[] | undefined {
  try {
    const lists = classLabels(parseModel(bytes), { label: undefined, probabilities, classes });
    const [list] = lists;
    return lists.length === 1 && list?.length === classes ? list : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

export function widthOf({ shape }: TensorInfo): number {
  return Math.max(1, Number(shape[1]) || 1);
}

function columnLines(
  input: TensorInfo,
  position: number,
  known: KnownValues | undefined,
  signed: SignatureColumn | undefined,
): string[] {
  const name = yamlText(signed?.name ?? (widthOf(input) === 1 ? input.name : `column_${position}`));
  const floating = input.dtype === 'float32' || input.dtype === 'float64';
  const nullable = signed?.optional === true ? (floating ? ', nullable: true' : OPTIONAL) : '';
  const notes = known?.notes ?? [];
  if (input.dtype !== 'string') {
    const codes = known?.codes ?? [];
    const line = nullable === OPTIONAL ? `      - { name: ${name} }${nullable}` : `      - { name: ${name}${nullable} }`;
    return codes.length > 0 ? [`${line}     # the model compares it with ${codes.join(', ')}`] : [line];
  }
  if (known?.texts !== undefined) {
    const line = `      - { name: ${name}, categories: [${known.texts.map((text) => JSON.stringify(text)).join(', ')}] }`;
    return notes.length > 0 ? [`${line}     # ${notes.join('; ')}`] : [line];
  }
  const why = notes.length > 0 ? ` (${notes.join('; ')})` : '';
  return [
    `      # The file does not list the values of this column${why}. Add categories: [...] with the values of the training rows,`,
    '      # or unknown: allow if the model accepts any text.',
    `      - { name: ${name} }`,
  ];
}
