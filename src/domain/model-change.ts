/** A model as recorded in the ledger. */
interface ServedModel {
  readonly name: string;
  readonly version: string;
  readonly digest: string;
}

/** The publication that a run is compared with, if another model scored it. Stored as JSON. */
export interface ModelChange extends ServedModel {
  readonly run_id: string;
  /** Label of its window. */
  readonly window: string;
}

/** The part of a publication that `modelChange` needs. */
interface Scored {
  readonly runId: string;
  readonly window: { readonly label: string };
  readonly model: ServedModel;
}

/**
 * Whether the model differs from that of an earlier publication. Compares digests, since a version may be reused.
 *
 * @param before publications to compare with, the most relevant first; undefined ones are skipped
 */
export function modelChange(model: ServedModel, before: readonly (Scored | undefined)[]): ModelChange | undefined {
  const other = before.find((publication) => publication !== undefined && publication.model.digest !== model.digest);
  if (other === undefined) return undefined;
  const { name, version, digest } = other.model;
  return { name, version, digest, run_id: other.runId, window: other.window.label };
}

/** `since 1997-W10, which churn 1 (sha256 e147a59d862d…) scored` */
export function showModelChange({ name, version, digest, window }: ModelChange): string {
  return `since ${window}, which ${name} ${version} (sha256 ${digest.slice(0, 12)}…) scored`;
}
