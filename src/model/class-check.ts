import { printableValue } from '../domain/printable.ts';
import type { Classes } from '../domain/signature.ts';
import { ScoreBatchError } from '../errors.ts';
import { classLabels } from '../onnx/class-labels.ts';
import { parseModel } from '../onnx/model.ts';
import { notOnnxError } from '../runtime/errors.ts';
import type { ModelBytes } from '../runtime/model-file.ts';

/** Limits the names in a message. */
const MAX_SHOWN = 20;

/**
 * Compares `labels` of model.yaml with the classes in the graph. A graph without classes, such as a neural network, passes:
 * then only golden rows show which probability belongs to which class.
 *
 * @throws ScoreBatchError `configuration` with both lists if they differ
 */
export function checkClassLabels({ file, bytes }: ModelBytes, { label, probabilities, labels }: Classes): void {
  const lists = listsOf({ file, bytes }, { label, probabilities, classes: labels.length });
  if (lists.length === 0 || lists.some((list) => equal(list, labels))) return;
  const [list = []] = lists;
  const sameNames = equal(list.toSorted(), labels.toSorted());
  throw new ScoreBatchError('configuration', `the labels in model.yaml are not the classes of ${file}`, {
    details: [`model.yaml: ${shown(labels)}`, `model.onnx: ${shown(list)}`],
    hint: sameNames
      ? 'write labels in the order of the file: the first one names the first probability'
      : 'write labels as the file has them, in its order; if it has numbers, train with the names of the classes',
  });
}

function listsOf({ file, bytes }: Pick<ModelBytes, 'file' | 'bytes'>, outputs: Parameters<typeof classLabels>[1]) {
  try {
    return classLabels(parseModel(bytes), outputs);
  } catch (cause) {
    if (cause instanceof RangeError) throw notOnnxError(file, cause.message, cause);
    throw cause;
  }
}

function equal(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, i) => name === b[i]);
}

function shown(names: readonly string[]): string {
  const more = names.length > MAX_SHOWN ? `, and ${names.length - MAX_SHOWN} more` : '';
  return `${names.slice(0, MAX_SHOWN).map(printableValue).join(', ')}${more}`;
}
