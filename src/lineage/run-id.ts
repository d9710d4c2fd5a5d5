import { createHash } from 'node:crypto';

/** Namespace of the UUIDs below; arbitrary, but it must not change. */
const NAMESPACE = 'b0d880ec-c5fb-4368-9f2a-3de98015c30f';

/**
 * The UUID of a run: version 5 of RFC 9562, from the job and the run's id in the ledger. So all processes of the run have the
 * same one.
 */
export function lineageRunId(job: string, runId: string): string {
  const hash = createHash('sha1')
    .update(Buffer.from(NAMESPACE.replaceAll('-', ''), 'hex'))
    .update(JSON.stringify([job, runId]))
    .digest();
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x50;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  return hash.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
