/** The job, window and run of a command. Commands fill it in as they learn it; later messages include it. */
export interface Subject {
  job?: string;
  /** Label of the window. */
  window?: string;
  runId?: string;
}

/** Fields of a JSON line. Unknown ones are null, so that every line has the same fields. */
export function subjectFields({ job, window, runId }: Subject): Record<'job' | 'window' | 'run_id', string | null> {
  return { job: job ?? null, window: window ?? null, run_id: runId ?? null };
}

/** `job churn-weekly, window 2026-W47, run 2026-W47-0123456789ab`; undefined if nothing is known. */
export function showSubject({ job, window, runId }: Subject): string | undefined {
  const parts = Object.entries({ job, window, run: runId }).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name} ${value}`],
  );
  return parts.length === 0 ? undefined : parts.join(', ');
}
