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
  const message = messageOf(cause);
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

/** @param skipped every provider that was asked for */
export function noProvider(file: string, skipped: readonly Skipped[], requireGpu: boolean): ScoreBatchError {
  return new ScoreBatchError('configuration', `no execution provider serves ${file}`, {
    details: skipped.map(({ provider, why }) => `${provider}: ${why}`),
    hint: requireGpu
      ? 'run where the GPU is, or drop --require-gpu and have cpu in score.providers'
      : 'add cpu to score.providers, or install what the provider needs (docs/gpu.md lists it)',
  });
}

/** What ONNX Runtime says where `disable_cpu_ep_fallback` refuses a session. */
export function refusesCpuNodes(cause: unknown): boolean {
  return /fallback to CPU EP has been explicitly disabled/.test(messageOf(cause));
}

/**
 * What says that a batch did not fit: ONNX Runtime's arenas (bfc_arena.cc) and the C++ library on cpu and CUDA, CUDA and its
 * libraries, Vulkan, and WebGPU, where a buffer that could not be made or is too large is "invalid" once it is used.
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

/** What says that the device or its driver failed, and not the model. */
const DEVICE_FAULT = /CUDA (failure|error)|\b(CUBLAS|CUDNN)_STATUS_|\bcudaError|device (is |was )?lost|VK_ERROR_|DXGI_ERROR/i;

/** Whether a run failed for want of memory, so that fewer rows may go. @param error of `run` */
export function isOutOfMemory(error: unknown): boolean {
  const message = messageOf(error instanceof ScoreBatchError ? error.cause : error);
  return OUT_OF_MEMORY.some((pattern) => pattern.test(message));
}

/** The error of a batch that failed. @param provider the one that the session is on */
export function runError(provider: string, rows: number, cause: unknown): ScoreBatchError {
  const message = messageOf(cause);
  // An index is what stood in a row.
  const details = [message.replaceAll(/\s+/g, ' ').replaceAll(/\bidx=-?\d+/g, 'idx=…')];
  if (provider !== 'cpu' && DEVICE_FAULT.test(message)) {
    return new ScoreBatchError('unavailable', `${provider} failed in the middle of a batch of ${counted(rows, 'row')}`, {
      details,
      hint: 'start again, the run goes on where it stopped; if it comes back, look at the GPU (`nvidia-smi`, `dmesg`) or score on cpu',
      cause,
    });
  }
  return new ScoreBatchError('configuration', `the model fails on a batch of ${counted(rows, 'row')}`, {
    details,
    hint: 'score the same rows with onnxruntime in Python; `score-batch model verify` tries the golden rows',
    cause,
  });
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
