import { counted } from '../domain/counted.ts';
import type { Skipped } from '../domain/execution.ts';
import { ScoreBatchError } from '../errors.ts';

interface KnownFailure {
  readonly pattern: RegExp;
  readonly what: string;
  readonly hint: string;
}

const NOT_ONNX = {
  what: 'is not an ONNX model',
  hint: 'check that the file was copied completely; git LFS leaves a small text file in its place',
};

const CANNOT_LOAD = {
  what: 'cannot be loaded by ONNX Runtime',
  hint: 'check the model with onnx.checker.check_model in Python',
};

/** ONNX Runtime's messages for a bad file, as opposed to a bad provider. Its errors carry no code. */
const FAILURES: readonly KnownFailure[] = [
  {
    pattern: /ONNX Runtime only \*guarantees\* support|Opset \d+ is under development/,
    what: 'uses an operator set newer than this ONNX Runtime supports',
    hint: 'export the model with a lower target_opset, or upgrade onnxruntime-node',
  },
  {
    pattern: /Unsupported model IR version/,
    what: 'has an IR version newer than this ONNX Runtime supports',
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
 * The error for a model file that cannot be loaded, or undefined if the provider is at fault. cpu is always available, so a
 * failure on cpu is the file's.
 */
export function loadError(file: string, cause: unknown, provider: string): ScoreBatchError | undefined {
  const message = messageOf(cause);
  const known = FAILURES.find(({ pattern }) => pattern.test(message)) ?? (provider === 'cpu' ? CANNOT_LOAD : undefined);
  return (
    known &&
    new ScoreBatchError('configuration', `${file} ${known.what}`, { details: [lastSentence(message)], hint: known.hint, cause })
  );
}

/** Drops the source positions and signatures that ONNX Runtime puts before the message. */
function lastSentence(message: string): string {
  return message
    .replace(/^.*(?:const std::string&, int\)|ModelOptions&\)|failed:)\s*/s, '')
    .trim()
    .replaceAll(/\s+/g, ' ');
}

/** @param why what is wrong with the bytes */
export function notOnnxError(file: string, why: string, cause?: unknown): ScoreBatchError {
  return new ScoreBatchError('configuration', `${file} ${NOT_ONNX.what}`, { details: [why], hint: NOT_ONNX.hint, cause });
}

/** @param skipped every requested provider, with the reason */
export function noProviderError(file: string, skipped: readonly Skipped[], requireGpu: boolean): ScoreBatchError {
  return new ScoreBatchError('configuration', `no execution provider can run ${file}`, {
    details: skipped.map(({ provider, why }) => `${provider}: ${why}`),
    hint: requireGpu
      ? 'run on a machine with a GPU, or drop --require-gpu and add cpu to score.providers'
      : 'add cpu to score.providers, or install what the provider needs (docs/gpu.md lists it)',
  });
}

/** Whether ONNX Runtime refused a session because of `disable_cpu_ep_fallback`. */
export function isCpuFallbackRefusal(cause: unknown): boolean {
  return /fallback to CPU EP has been explicitly disabled/.test(messageOf(cause));
}

/**
 * Messages for a batch that did not fit in memory. They come from ONNX Runtime's arenas (bfc_arena.cc) and the C++ library on
 * cpu and CUDA, from CUDA and its libraries, from Vulkan, and from WebGPU. WebGPU calls a buffer "invalid" when it is used
 * after its allocation failed.
 */
const OUT_OF_MEMORY = [
  /Failed to allocate memory for requested buffer of size/,
  /is smaller than requested bytes of/,
  /ran out of memory|out of memory|OutOfMemory/i,
  /\bbad[_ ]alloc/,
  /(CUBLAS|CUDNN|CUFFT)_STATUS_(INTERNAL_ERROR_DEVICE_)?ALLOC(ATION)?_FAILED|cudaErrorMemoryAllocation/,
  /VK_ERROR_OUT_OF_(DEVICE|HOST|POOL)_MEMORY/,
  /\[Invalid Buffer\b[^\]]*\] is invalid due to a previous error/,
  /exceeds the max buffer size limit|larger than the maximum (storage )?buffer binding size/i,
];

/** Messages for a failure of the device or its driver, as opposed to the model. */
const DEVICE_FAULT = /CUDA (failure|error)|\b(CUBLAS|CUDNN)_STATUS_|\bcudaError|device (is |was )?lost|VK_ERROR_|DXGI_ERROR/i;

/** Whether a run ran out of memory, so that fewer rows may succeed. @param error what `run` threw */
export function isOutOfMemory(error: unknown): boolean {
  const message = messageOf(error instanceof ScoreBatchError ? error.cause : error);
  return OUT_OF_MEMORY.some((pattern) => pattern.test(message));
}

/** The error for a batch that failed. @param provider of the session */
export function runError(provider: string, rows: number, cause: unknown): ScoreBatchError {
  const message = messageOf(cause);
  // An index is a value from a row, which must not appear in a message.
  const details = [message.replaceAll(/\s+/g, ' ').replaceAll(/\bidx=-?\d+/g, 'idx=…')];
  if (provider !== 'cpu' && DEVICE_FAULT.test(message)) {
    return new ScoreBatchError('unavailable', `${provider} failed during a batch of ${counted(rows, 'row')}`, {
      details,
      hint: 'run the same command again to resume; if it fails again, check the GPU (`nvidia-smi`, `dmesg`) or score on cpu',
      cause,
    });
  }
  return new ScoreBatchError('configuration', `the model failed on a batch of ${counted(rows, 'row')}`, {
    details,
    hint: 'score the same rows with onnxruntime in Python; `score-batch model verify` scores the golden rows',
    cause,
  });
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
