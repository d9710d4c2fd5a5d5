import type { RecordedBasis } from '../domain/recorded-basis.ts';
import { type Fingerprinted, fingerprintParts } from '../job/fingerprint.ts';
import { recordDefinition } from '../job/recorded-definition.ts';
import { recordGolden, recordSignature } from '../model/recorded-model.ts';
import { withoutSecrets } from '../secrets.ts';

/** What a run is made from, for its first ledger entry, with which a later plan compares. */
export async function basisOf(of: Fingerprinted): Promise<RecordedBasis> {
  const definition = Object.entries(recordDefinition(of.definition)).map(([key, value]) => [key, withoutSecrets(value)]);
  const golden = await recordGolden(of.bundle);
  return {
    fingerprint: fingerprintParts(of),
    definition: Object.fromEntries(definition),
    signature: recordSignature(of.bundle.signature),
    ...(golden && { golden }),
  };
}
