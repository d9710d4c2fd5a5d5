// A challenger is a second model of a job. In the ledger its runs belong to a separate job, so its publications are numbered,
// kept and audited like any job's. No job file can have such a name, because it contains a dot.

const SUFFIX = '.challenger';

/** Digits of the fingerprint in the id of a challenger's run. */
const DIGITS = 8;

/** The job name that ledger and tables use for the challenger of a job. */
export function challengerJob(job: string): string {
  return `${job}${SUFFIX}`;
}

/**
 * The run in which a challenger scores this run's frozen rows. Depends on the challenger's fingerprint, so that what another
 * challenger staged for the same rows is never mistaken for its own.
 *
 * @param fingerprint see `fingerprintOf`, hex
 */
export function challengerRun(runId: string, fingerprint: string): string {
  return `${runId}${SUFFIX}-${fingerprint.slice(0, DIGITS)}`;
}

/**
 * The ledger's run to which an artifact of this run id belongs: for a challenger's run the one whose rows it scores, for the
 * keys of a slice the slice; otherwise the id itself.
 */
export function championRun(runId: string): string {
  return runId.replace(new RegExp(`(\\${SUFFIX}-[0-9a-f]{${DIGITS}}|\\.keys)$`), '');
}
