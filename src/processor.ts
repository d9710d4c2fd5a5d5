import { readFileSync } from 'node:fs';

/**
 * Instruction sets that ONNX Runtime selects its kernels by, as named by Linux
 * (https://github.com/microsoft/onnxruntime/blob/main/onnxruntime/core/mlas/lib/platform.cpp).
 */
const KERNEL_SETS = [
  'avx',
  'avx2',
  'fma',
  'avx_vnni',
  'avx512f',
  'avx512bw',
  'avx512_vnni',
  'avx512_bf16',
  'amx_tile',
  'asimddp',
  'i8mm',
  'sve',
  'bf16',
];

/**
 * Architecture and instruction sets of this processor: `x64 avx avx2 fma`; only the architecture if the system lists no
 * sets.
 */
export function processorKind(file = '/proc/cpuinfo'): string {
  const [, flags = ''] = /^(?:flags|Features)\s*:(.*)$/m.exec(read(file)) ?? [];
  const present = new Set(flags.trim().split(/\s+/));
  return [process.arch, ...KERNEL_SETS.filter((name) => present.has(name))].join(' ');
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
