import type { InputDtype, Signature } from '../domain/signature.ts';
import { randomInputs } from '../model/random-rows.ts';
import { seededRandom } from '../random.ts';
import { inBatches } from '../runtime/batches.ts';
import { checkedFacts, type ModelBytes } from '../runtime/model-file.ts';
import { type InputTensor, type Session, trySession } from '../runtime/session.ts';
import { zipMapRefusal } from './refusal.ts';

const RANDOM_ROWS = 2048;
const BATCH_ROWS = 512;

interface Subject {
  /** The model with its ZipMap and, as an additional output, its probabilities. */
  readonly original: ModelBytes;
  readonly made: ModelBytes;
  /** Tensors of probabilities. */
  readonly tensors: readonly string[];
  /** The model's inputs; undefined without a model.yaml. */
  readonly signature: Signature | undefined;
}

/**
 * Runs both models on the same random rows on cpu. The probabilities must match bit for bit.
 *
 * @returns the number of rows
 * @throws ScoreBatchError `configuration` if they differ, or a model cannot run
 */
export async function verifyCut({ original, made, tensors, signature }: Subject): Promise<number> {
  const { operators } = checkedFacts(made);
  if (operators.has('ai.onnx.ml:ZipMap')) throw zipMapRefusal('another one is inside a nested graph or a function');
  const sessions: Session[] = [];
  try {
    for (const model of [original, made]) sessions.push(await opened(model));
    const [before, after] = sessions.map((session) => inBatches(session, BATCH_ROWS));
    if (before === undefined || after === undefined) throw new Error('two models were opened');
    const random = seededRandom(Number.parseInt(original.digest.slice(0, 8), 16));
    const inputs = randomInputs(signature ?? declared(after), RANDOM_ROWS, random);
    for (const tensor of tensors) await compare(before, after, tensor, inputs);
    return RANDOM_ROWS;
  } finally {
    for (const session of sessions) await session.close();
  }
}

async function compare(original: Session, made: Session, tensor: string, inputs: readonly InputTensor[]): Promise<void> {
  const output = { name: tensor, index: 0 };
  const wanted = await original.run(inputs, output);
  const got = await made.run(inputs, output);
  const differs = wanted.values.findIndex((value, i) => !Object.is(value, got.values[i]));
  if (wanted.width === got.width && wanted.values.length === got.values.length && differs < 0) return;
  throw zipMapRefusal(
    `on random rows, ${tensor} differs from the ZipMap's input`,
    'nothing was written; please report this, with the model if you can share it',
  );
}

async function opened(model: ModelBytes): Promise<Session> {
  checkedFacts(model);
  const session = await trySession(model, 'cpu', false);
  if ('why' in session) throw zipMapRefusal(session.why);
  return session;
}

const DTYPES: readonly InputDtype[] = ['float32', 'float64', 'int64', 'bool', 'string'];

/** The inputs that a model file declares. Any value is allowed. */
function declared({ metadata }: Session): Signature {
  const inputs = metadata.inputs.map(({ name, dtype: found, shape }) => {
    const dtype = DTYPES.find((other) => other === found);
    const [, width, ...more] = shape;
    if (dtype === undefined || width === undefined || more.length > 0) {
      throw zipMapRefusal(`table rows cannot feed its input ${name}`, 'export the model with inputs [N, F]');
    }
    const features = Array.from({ length: Number(width) || 1 }, (_, i) => ({
      name: `${name}_${i}`,
      nullable: false,
      unknown: 'allow' as const,
    }));
    return { name, dtype, features };
  });
  return { inputs, output: { name: '', index: 0 } };
}
