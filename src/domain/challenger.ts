// A challenger is a second model of a job. In the ledger its runs are those of a job of its own, so its publications are
// numbered, kept and audited as those of any job. No job file can have such a name: it has a dot.

const SUFFIX = '.challenger';

/** Digits of the fingerprint in the id of a challenger's run. */
const DIGITS = 8;

/** The name under which ledger and tables hold the challenger of a job. */
export function challengerJob(job: string): string {
  return `${job}${SUFFIX}`;
}

/**
 * The run that scores the frozen rows of this run with a challenger. It depends on the challenger's fingerprint: what another
 * challenger has staged for the same rows is never taken for its own.
 *
 * @param fingerprint see `fingerprintOf`, hex
 */
export function challengerRun(runId: string, fingerprint: string): string {
  return `${runId}${SUFFIX}-${fingerprint.slice(0, DIGITS)}`;
}

/**
 * The run of the ledger to which an artifact of this run id belongs: for a challenger's run the one whose rows it scores, for the
 * keys of a slice the slice; else the id itself.
 */
export function championRun(runId: string): string {
  return runId.replace(new RegExp(`(\\${SUFFIX}-[0-9a-f]{${DIGITS}}|\\.keys)$`), '');
}
