/** A job's choice for a bundle with classes: `score.class` and `score.classes` of the job file. */
export interface ScoreChoice {
  readonly class?: string | undefined;
  readonly classes?: 'all' | undefined;
}

/** What the score is, for the ledger: a class, null for the predicted one, undefined if the bundle has no classes. */
export function scoreClass({ class: label, classes }: ScoreChoice): string | null | undefined {
  return label ?? (classes === undefined ? undefined : null);
}
