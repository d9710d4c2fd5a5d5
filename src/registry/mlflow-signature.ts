import { z } from 'zod';
import type { TensorInfo } from '../domain/model-metadata.ts';
import { ScoreBatchError } from '../errors.ts';
import { parseChecked } from '../yaml/checked.ts';

/** A signature's column and its place in an input of the model file. */
export interface SignatureColumn {
  readonly input: string;
  readonly position: number;
  readonly name: string;
  /** Whether the signature says that it may be missing. */
  readonly optional: boolean;
}

const description = z.looseObject({
  flavors: z.looseObject({ onnx: z.looseObject({ data: z.string() }).optional() }),
  signature: z.looseObject({ inputs: z.string().nullish() }).nullish(),
});

const columnSpec = z.looseObject({ name: z.string().nullish(), type: z.string(), required: z.boolean().default(true) });

export interface Described {
  /** Path of the model file among the artifacts. */
  readonly file: string;
  readonly columns: readonly z.output<typeof columnSpec>[];
}

/**
 * Parses the file `MLmodel`.
 *
 * @param shown its name in messages
 * @throws ScoreBatchError `configuration` if it is invalid, or the model is not in ONNX
 */
export function readMlmodel(text: string, shown: string): Described {
  const hint = 'log the model with mlflow.onnx.log_model';
  const { flavors, signature } = parseChecked(text, description, {
    file: shown,
    noun: "MLflow's description of a model",
    hint,
    crossChecks: () => [],
  });
  if (flavors.onnx === undefined) {
    const found = Object.keys(flavors)
      .slice(0, 5)
      .map((name) => JSON.stringify(name.slice(0, 40)));
    throw new ScoreBatchError('configuration', `${shown} has no flavour onnx: the model is not in ONNX`, {
      details: [`flavours: ${found.join(', ') || 'none'}`],
      hint: 'convert it, for example with skl2onnx, and log it with mlflow.onnx.log_model',
    });
  }
  return { file: flavors.onnx.data, columns: columnsIn(signature?.inputs ?? '[]', shown) };
}

function columnsIn(inputs: string, shown: string): Described['columns'] {
  try {
    return z.array(columnSpec).parse(JSON.parse(inputs));
  } catch (cause) {
    throw new ScoreBatchError('configuration', `the signature in ${shown} is not one of MLflow`, {
      hint: 'log the model again',
      cause,
    });
  }
}

/**
 * Assigns a signature's columns to the model file's inputs: by order if the file has one input, by name if it has an input per
 * column; a tensor signature names no columns.
 *
 * @param widths columns of each input of the model file
 */
export function placed(
  specs: Described['columns'],
  inputs: readonly (Pick<TensorInfo, 'name'> & { readonly width: number })[],
): SignatureColumn[] {
  const columns = specs.filter(({ type }) => type !== 'tensor');
  const [only] = inputs;
  if (inputs.length === 1 && only !== undefined && columns.length === only.width) {
    return columns.map(({ name, required }, position) => ({
      input: only.name,
      position,
      name: name ?? `column_${position}`,
      optional: !required,
    }));
  }
  return columns.flatMap(({ name, required }) => {
    const input = inputs.find((one) => one.name === name && one.width === 1);
    return input === undefined ? [] : [{ input: input.name, position: 0, name: input.name, optional: !required }];
  });
}
