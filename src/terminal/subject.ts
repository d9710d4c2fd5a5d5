/** What a command is about, as far as it knows: commands fill it in, and whatever is said after that names it. */
export interface Subject {
  job?: string;
  /** Label of the window. */
  window?: string;
  runId?: string;
}

/** The fields of a JSON line, of which each has its place whether it is known or not. */
export function subjectFields({ job, window, runId }: Subject): Record<'job' | 'window' | 'run_id', string | null> {
  return { job: job ?? null, window: window ?? null, run_id: runId ?? null };
}

/** `job churn-weekly, window 2026-W47, run 2026-W47-0123456789ab`; undefined where nothing is known. */
export function showSubject({ job, window, runId }: Subject): string | undefined {
  const parts = Object.entries({ job, window, run: runId }).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name} ${value}`],
  );
  return parts.length === 0 ? undefined : parts.join(', ');
}
