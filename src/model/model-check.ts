import path from 'node:path';
import { counted, grouped } from '../domain/counted.ts';
import { fixedBatch, type ModelMetadata, showTensor, type TensorInfo } from '../domain/model-metadata.ts';
import type { Classes, ModelInput, Signature } from '../domain/signature.ts';
import { ScoreBatchError } from '../errors.ts';

/**
 * Compares the signature in `model.yaml` with what the model file declares.
 *
 * @throws ScoreBatchError `configuration` with all differences
 */
export function checkModel(metadata: ModelMetadata, signature: Signature, file: string): void {
  const details = [
    ...signature.inputs.flatMap((input) => inputProblems(input, metadata.inputs)),
    ...metadata.inputs
      .filter(({ name }) => !signature.inputs.some((input) => input.name === name))
      .map((info) => `the model has an input ${info.name} (${showTensor(info)}) that model.yaml does not feed`),
    ...(signature.classes === undefined
      ? outputProblems(signature.output, metadata.outputs)
      : [...labelProblems(signature.classes, metadata.outputs), ...classProblems(signature.classes, metadata.outputs)]),
  ];
  if (details.length === 0) return;
  throw new ScoreBatchError('configuration', `model.yaml does not describe ${file}`, {
    details,
    hint: `\`score-batch model inspect ${path.dirname(file)}\` prints what the file declares`,
  });
}

function inputProblems({ name, dtype, features }: ModelInput, inputs: readonly TensorInfo[]): string[] {
  const info = inputs.find((input) => input.name === name);
  if (info === undefined) return [`the model has no input ${name}; it has ${inputs.map((input) => input.name).join(', ')}`];
  const [rows, width, ...more] = info.shape;
  const problems: string[] = [];
  if (info.dtype !== dtype) problems.push(`the input ${name} is ${info.dtype ?? 'not a tensor'}, but model.yaml says ${dtype}`);
  if (width === undefined || more.length > 0) {
    problems.push(`the input ${name} is ${showTensor(info)}: a table can only feed [N, F], so export the model with rank 2`);
  } else if (typeof width === 'number' && width !== features.length) {
    problems.push(`the input ${name} is ${width} wide, but model.yaml feeds ${counted(features.length, 'column')}`);
  }
  const fixed = fixedBatch({ inputs });
  if (typeof rows === 'number' && rows > 0 && rows !== fixed) {
    problems.push(
      `the input ${name} takes ${counted(rows, 'row')} at a time, but another input takes ${grouped(fixed ?? 0)}: all inputs need the same number`,
    );
  }
  return problems;
}

/** Finds what is wrong with an output that must be there and be a tensor. @param problems of that tensor */
function tensorProblems(name: string, outputs: readonly TensorInfo[], problems: (info: TensorInfo) => string[]): string[] {
  const info = outputs.find((output) => output.name === name);
  if (info === undefined) {
    // The exporter gives a ZipMap's output another name, so report both problems at once.
    const maps = outputs.filter(({ dtype }) => dtype === undefined).map((output) => zipMap(output.name));
    return [`the model has no output ${name}; it has ${outputs.map((output) => output.name).join(', ')}`, ...maps];
  }
  return info.dtype === undefined ? [zipMap(name)] : problems(info);
}

function outputProblems({ name, index }: Signature['output'], outputs: readonly TensorInfo[]): string[] {
  return tensorProblems(name, outputs, (info) => {
    const [, width, ...more] = info.shape;
    if (info.dtype !== 'float32' && info.dtype !== 'float64') {
      return [`the output ${name} is ${info.dtype}: a score is float32 or float64; name the probabilities, not the label`];
    }
    if (more.length > 0) return [`the output ${name} is ${showTensor(info)}: a score must be [N] or [N, classes]`];
    const classes = width ?? 1;
    return typeof classes === 'number' && index >= classes
      ? [`the output ${name} is ${showTensor(info)}, so it has no index ${index}`]
      : [];
  });
}

function classProblems({ probabilities: name, labels }: Classes, outputs: readonly TensorInfo[]): string[] {
  return tensorProblems(name, outputs, (info) => {
    const [, width, ...more] = info.shape;
    if (info.dtype !== 'float32' && info.dtype !== 'float64') {
      return [`the output ${name} is ${info.dtype}: probabilities are float32 or float64; is it the label?`];
    }
    if (width === undefined || more.length > 0) {
      return [`the output ${name} is ${showTensor(info)}: the probabilities of classes must be [N, classes]`];
    }
    return typeof width === 'number' && width > 0 && width !== labels.length
      ? [
          `the output ${name} is ${showTensor(info)}, but model.yaml has ${counted(labels.length, 'label')}: ${labels.join(', ')}`,
        ]
      : [];
  });
}

function labelProblems({ label: name }: Classes, outputs: readonly TensorInfo[]): string[] {
  if (name === undefined) return [];
  return tensorProblems(name, outputs, (info) => {
    const [, width = 1, ...more] = info.shape;
    if (info.dtype !== 'string' && info.dtype !== 'int64') {
      return [`the output ${name} is ${info.dtype}: a label is string or int64; name the probabilities under probabilities`];
    }
    return more.length > 0 || (typeof width === 'number' && width > 1)
      ? [`the output ${name} is ${showTensor(info)}: a label must be [N] or [N, 1]`]
      : [];
  });
}

function zipMap(name: string): string {
  return `the output ${name} is a list of maps (ZipMap): export with options={'zipmap': False} in skl2onnx or zipmap=False in onnxmltools, or remove it with \`score-batch model drop-zipmap\``;
}
