import { onTestFinished } from 'vitest';
import type { OnlineModel } from '../../../src/serve/online-model.ts';
import { loadOnlineModel } from '../../../src/serve/score/load-model.ts';
import { settingsOf } from '../served.ts';

/** A model in this process, closed at the end of the test. */
export async function loaded(folder: string, overrides: Parameters<typeof settingsOf>[1] = {}): Promise<OnlineModel> {
  const model = await loadOnlineModel(folder, settingsOf([folder], overrides));
  onTestFinished(() => model.close());
  return model;
}
