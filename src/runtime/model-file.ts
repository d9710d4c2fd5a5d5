import { readFile } from 'node:fs/promises';
import onnxProto from 'onnx-proto';

/** What a model file says of itself and the runtime's session does not expose. */
export interface ModelFacts {
  readonly producer: string;
  /** Version per operator set; the standard one is called `ai.onnx`. */
  readonly opsets: Readonly<Record<string, number>>;
  readonly metadata: Readonly<Record<string, string>>;
}

export async function modelFacts(file: string): Promise<ModelFacts> {
  const model = onnxProto.onnx.ModelProto.decode(await readFile(file));
  return {
    producer: [model.producerName, model.producerVersion].filter(Boolean).join(' '),
    opsets: Object.fromEntries(model.opsetImport.map(({ domain, version }) => [domain || 'ai.onnx', Number(version)])),
    metadata: Object.fromEntries(model.metadataProps.map(({ key, value }) => [key ?? '', value ?? ''])),
  };
}
