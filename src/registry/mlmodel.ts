import type { ModelMetadata, TensorInfo } from '../domain/model-metadata.ts';
import type { Bundle } from '../model/bundle.ts';

/** MLflow's description of a model, which its own clients load. */
export const MLMODEL = 'MLmodel';

interface Logged {
  readonly runId: string;
  /** Digest of the bundle; see `digestOf`. */
  readonly digest: string;
  /** Epoch milliseconds. */
  readonly now: number;
}

/**
 * The contents of a bundle's file `MLmodel`: flavours `onnx` and `python_function`, a signature of the model file's tensors,
 * and the names of the columns. JSON, which is also YAML.
 */
export function mlmodelText(
  { definition, signature, digest: sha256 }: Bundle,
  metadata: ModelMetadata,
  logged: Logged,
): string {
  const { name, version } = definition;
  const columns = signature.inputs.flatMap(({ name: input, features }) =>
    features.map((feature) => ({ input, name: feature.name, nullable: feature.nullable })),
  );
  return `${JSON.stringify(
    {
      artifact_path: 'model',
      flavors: {
        onnx: { code: null, data: 'model.onnx', providers: ['CPUExecutionProvider'] },
        python_function: { loader_module: 'mlflow.onnx', data: 'model.onnx', env: { virtualenv: 'python_env.yaml' } },
      },
      metadata: { score_batch: { name, version, sha256, digest: logged.digest, columns } },
      model_uuid: logged.digest.slice(0, 32),
      run_id: logged.runId,
      signature: { inputs: tensors(metadata.inputs), outputs: tensors(metadata.outputs), params: null },
      utc_time_created: new Date(logged.now).toISOString().replace('T', ' ').replace('Z', ''),
    },
    null,
    1,
  )}\n`;
}

/** Files that MLflow's tools also need to load the model in an environment of its own. */
export const BESIDE: Readonly<Record<string, string>> = {
  'requirements.txt': 'mlflow\nonnx\nonnxruntime\n',
  'python_env.yaml': 'python: "3.11"\ndependencies:\n- -r requirements.txt\n',
};

/** An MLflow schema: a JSON string with a list of tensors. Other values are left out. */
function tensors(values: readonly TensorInfo[]): string {
  const specs = values.flatMap(({ name, dtype, shape }) =>
    dtype === undefined
      ? []
      : [
          {
            type: 'tensor',
            name,
            'tensor-spec': { dtype: numpyType(dtype), shape: shape.map((size) => (typeof size === 'number' ? size : -1)) },
          },
        ],
  );
  return JSON.stringify(specs);
}

function numpyType(dtype: string): string {
  return dtype === 'string' ? 'str' : dtype;
}
