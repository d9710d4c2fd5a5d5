import type { OnlineModel } from './online-model.ts';

/** The models that this process serves. */
export interface Models {
  /** All versions of all models, the first version of each name first. */
  list(): readonly OnlineModel[];
  /**
   * @param version if undefined, the default version or, for its share of requests, the canary
   * @throws ServeFailure `not found`, with the nearest known name
   */
  find(name: string, version?: string): OnlineModel;
}
