import { type ModelMetadata, showTensor, type TensorInfo } from '../domain/model-metadata.ts';
import { type KnownValues, knownValues } from '../onnx/known-values.ts';
import { yamlText } from '../yaml/scalar.ts';

/** What the file says about each column of its inputs; empty if its graph cannot be followed. */
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

/** A `model.yaml` to start from: what the file knows is filled in, the rest is comments. */
export function modelSkeleton(digest: string, { inputs, outputs }: ModelMetadata, known: readonly KnownValues[]): string {
  const output = outputs.find(({ dtype }) => dtype === 'float32' || dtype === 'float64') ?? outputs[0];
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
        ),
      ).flat(),
    ]),
    `output: { name: ${yamlText(output?.name ?? '?')}, index: ${Number(output?.shape[1]) > 1 ? 1 : 0} }     # of ${outputs.map((info) => `${info.name} ${showTensor(info)}`).join(', ')}`,
    'golden: { file: golden.csv, tolerance: 1e-6 }     # the columns, and expected_score',
  ]
    .map((line) => line.replaceAll(/[\r\n]+/g, ' ')) // A line break in a name must not end a comment.
    .join('\n');
}

function widthOf({ shape }: TensorInfo): number {
  return Math.max(1, Number(shape[1]) || 1);
}

function columnLines(input: TensorInfo, position: number, known: KnownValues | undefined): string[] {
  const name = yamlText(widthOf(input) === 1 ? input.name : `column_${position}`);
  const notes = known?.notes ?? [];
  if (input.dtype !== 'string') {
    const codes = known?.codes ?? [];
    const line = `      - { name: ${name} }`;
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
