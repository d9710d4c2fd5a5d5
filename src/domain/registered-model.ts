/** The version of a registered model that a run scores with, as the ledger pins it. */
export interface RegisteredModel {
  /** As in the job file. */
  readonly uri: string;
  readonly name: string;
  /** Null if the URI names the version. */
  readonly alias: string | null;
  readonly version: string;
  /** SHA-256 of the bundle's files, hex; see docs/model-registry.md. */
  readonly digest: string;
  /** Set if the registry could not be asked, and the last pinned version was used instead. */
  readonly registry_down?: true;
}

/** The versions of a run's models; those that come from folders are left out. */
export interface RegisteredModels {
  readonly model?: RegisteredModel;
  readonly challenger?: RegisteredModel;
}
