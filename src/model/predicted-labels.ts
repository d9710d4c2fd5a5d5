import { counted } from '../domain/counted.ts';
import { fixedBatch } from '../domain/model-metadata.ts';
import { printableValue } from '../domain/printable.ts';
import { ScoreBatchError } from '../errors.ts';
import { batchOf } from '../runtime/batches.ts';
import type { InputTensor, Session } from '../runtime/session.ts';
import type { Bundle } from './bundle.ts';
import type { Golden } from './golden.ts';

/**
 * Checks that the label output gives every golden row one of the bundle's labels. It need not be the most probable one: some
 * models decide by another threshold.
 *
 * @throws ScoreBatchError `configuration` if it gives another label, or not one per row
 */
export async function checkLabels({ file, signature }: Bundle, golden: Golden, session: Session): Promise<void> {
  const { label, labels = [] } = signature.classes ?? {};
  if (label === undefined) return;
  const found = await labelsOf(session, golden.inputs, label);
  const known = new Set(labels);
  const strange = found.findIndex((one) => !known.has(one));
  if (strange < 0) return;
  const given = printableValue(found[strange] ?? '');
  throw new ScoreBatchError('configuration', `${file} gives row ${strange + 1} of ${golden.file} the label ${given}`, {
    details: [`the labels in model.yaml are ${labels.join(', ')}`],
    hint: 'name the classes under output.labels in model.yaml as the output has them, or leave out output.label',
  });
}

/**
 * The label of each row as a string. A model with a fixed batch size runs once per batch.
 *
 * @throws ScoreBatchError `configuration` if the output does not have one value per row
 */
async function labelsOf(session: Session, inputs: readonly InputTensor[], name: string): Promise<string[]> {
  const all = inputs[0]?.shape[0] ?? 0;
  const size = fixedBatch(session.metadata) ?? all;
  const found: string[] = [];
  for (let done = 0; done < all; done += size) {
    const count = Math.min(size, all - done);
    const [tensor] = await session.runOutputs(batchOf(inputs, done, count, size), [name]);
    const { values = [], shape = [] } = tensor ?? {};
    if (values.length !== size) {
      throw new ScoreBatchError(
        'configuration',
        `the output ${name} has shape [${shape.join(', ')}] for ${counted(size, 'row')}`,
        {
          hint: 'output.label in model.yaml names an output with one label per row; leave it out if there is none',
        },
      );
    }
    for (const value of values.slice(0, count)) found.push(String(value));
  }
  return found;
}
