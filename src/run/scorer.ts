import type { Execution } from '../domain/execution.ts';
import type { Scorer } from '../domain/scorer.ts';
import { processorKind } from '../processor.ts';
import { VERSION } from '../versions.ts';

/** What this process scores with. */
export function scorerNow({ provider, onnxruntime }: Execution): Scorer {
  return { score_batch: VERSION, onnxruntime, provider, processor: processorKind() };
}
