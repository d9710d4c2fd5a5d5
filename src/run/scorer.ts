import type { Execution } from '../domain/execution.ts';
import type { Scorer } from '../domain/scorer.ts';
import { processorKind } from '../processor.ts';
import { VERSION } from '../versions.ts';

/** The scorer of this process: software versions, provider and processor. */
export function scorerNow({ provider, onnxruntime }: Execution): Scorer {
  return { score_batch: VERSION, onnxruntime, provider, processor: processorKind() };
}
