/** Row counts of a run. Nothing is published unless frozen = scored + quarantined. */
export interface RunRows {
  readonly frozen: number;
  readonly scored: number;
  readonly quarantined: number;
}
