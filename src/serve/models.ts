import type { OnlineModel } from './online-model.ts';

/** The models that this process serves. */
export interface Models {
  /** All versions of all models, each name's first version first. */
  list(): readonly OnlineModel[];
  /**
   * @param version without it, the version that answers by default; a share of such requests gets the canary
   * @throws ServeFailure `not found`, with the nearest known name
   */
  find(name: string, version?: string): OnlineModel;
}
