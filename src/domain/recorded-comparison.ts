import type { Comparison } from './comparison.ts';

/** The bundle whose scores were compared. */
export interface ComparedBundle {
  readonly run_id: string;
  /** SHA-256 of `model.onnx`, hex. */
  readonly digest: string;
  /** SHA-256 of `model.yaml`, hex. */
  readonly definition_digest: string;
}

/** The ledger's record of a comparison of champion and challenger. It names no users. */
export interface RecordedComparison {
  readonly champion: ComparedBundle;
  readonly challenger: ComparedBundle;
  /** The comparison in the format of `compare --json`, without the users whose scores differ most. */
  readonly measures: Comparison;
  /** The limits that the job file had then. */
  readonly limits: readonly {
    readonly name: string;
    readonly limit: number;
    readonly value: number | null;
    readonly state: string;
  }[];
}

/** Whether a bundle is exactly the one that was compared. */
export function isSameBundle(
  compared: Pick<ComparedBundle, 'digest' | 'definition_digest'>,
  { digest, definitionDigest }: { readonly digest: string; readonly definitionDigest: string },
): boolean {
  return compared.digest === digest && compared.definition_digest === definitionDigest;
}
