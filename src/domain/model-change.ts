/** A model as the ledger tells it. */
interface ServedModel {
  readonly name: string;
  readonly version: string;
  readonly digest: string;
}

/** The publication with which a run is compared, where its model was another one. Stored as JSON. */
export interface ModelChange extends ServedModel {
  readonly run_id: string;
  /** Label of its window. */
  readonly window: string;
}

/** A publication as far as its model goes. */
interface Scored {
  readonly runId: string;
  readonly window: { readonly label: string };
  readonly model: ServedModel;
}

/**
 * Whether the model is another one than that of a publication before: by its digest, whatever the version says.
 *
 * @param before the publications to compare with, the one that matters most first; missing ones are passed over
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
