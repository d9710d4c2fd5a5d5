import { ScoreBatchError } from '../errors.ts';

interface KnownFailure {
  readonly pattern: RegExp;
  readonly what: string;
  readonly hint: string;
}

const NOT_ONNX = {
  what: 'is not an ONNX model',
  hint: 'check that the file was copied whole; git LFS leaves a small text file in its place',
};

const CANNOT_LOAD = {
  what: 'cannot be loaded by ONNX Runtime',
  hint: 'check the model with onnx.checker.check_model in Python',
};

/** What ONNX Runtime says when the file, not the provider, is at fault. Its errors carry no code. */
const FAILURES: readonly KnownFailure[] = [
  {
    pattern: /ONNX Runtime only \*guarantees\* support|Opset \d+ is under development/,
    what: 'uses an operator set that is newer than this ONNX Runtime',
    hint: 'export the model with a lower target_opset, or upgrade onnxruntime-node',
  },
  {
    pattern: /Unsupported model IR version/,
    what: 'has an IR version that is newer than this ONNX Runtime',
    hint: 'save the model with an older onnx package (or set model.ir_version), or upgrade onnxruntime-node',
  },
  {
    pattern: /Protobuf parsing failed|ModelProto does not have a graph|INVALID_PROTOBUF/i,
    ...NOT_ONNX,
  },
  {
    pattern: /is not a registered function\/op|No Op registered for|custom op/i,
    what: 'uses an operator that this ONNX Runtime does not have',
    hint: 'export the model with standard ONNX operators only',
  },
];

/**
 * The error to show when a model file cannot be loaded, or undefined where the provider is at fault. A cpu is there always, so
 * that what fails on it is the file.
 */
export function loadError(file: string, cause: unknown, provider: string): ScoreBatchError | undefined {
  const message = cause instanceof Error ? cause.message : String(cause);
  const known = FAILURES.find(({ pattern }) => pattern.test(message)) ?? (provider === 'cpu' ? CANNOT_LOAD : undefined);
  return (
    known &&
    new ScoreBatchError('configuration', `${file} ${known.what}`, { details: [lastSentence(message)], hint: known.hint, cause })
  );
}

/** ONNX Runtime puts source positions and signatures before what it has to say. */
function lastSentence(message: string): string {
  return message
    .replace(/^.*(?:const std::string&, int\)|ModelOptions&\)|failed:)\s*/s, '')
    .trim()
    .replaceAll(/\s+/g, ' ');
}

/** @param why what is wrong with the bytes */
export function notOnnx(file: string, why: string, cause?: unknown): ScoreBatchError {
  return new ScoreBatchError('configuration', `${file} ${NOT_ONNX.what}`, { details: [why], hint: NOT_ONNX.hint, cause });
}
