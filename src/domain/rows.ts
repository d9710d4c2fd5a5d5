/** Rows of a run: frozen = scored + quarantined, or nothing is published. */
export interface RunRows {
  readonly frozen: number;
  readonly scored: number;
  readonly quarantined: number;
}
