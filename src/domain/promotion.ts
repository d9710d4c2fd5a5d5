/** A model in a promotion. */
export interface PromotedModel {
  /** The bundle's folder, as in the job file before or after. */
  readonly model: string;
  readonly name: string;
  readonly version: string;
  /** SHA-256 of `model.onnx`, hex. */
  readonly digest: string;
  /** SHA-256 of `model.yaml`, hex. */
  readonly definition_digest: string;
}

/** The change of a job's model to its challenger. The digests say which bundle the job must have once it is done. */
export interface Promotion {
  readonly from: PromotedModel;
  readonly to: PromotedModel;
  /** Labels of the windows whose comparisons were within the limits, newest first. */
  readonly windows: readonly string[];
  /** Whether it was forced; `reason` is then set, and `refusals` lists what it overruled. */
  readonly forced: boolean;
  readonly reason: string | null;
  readonly refusals: readonly string[];
  /** User of the warehouse's session. */
  readonly user: string | null;
}
