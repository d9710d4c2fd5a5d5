import type { ProviderText } from '../domain/provider.ts';
import { ScoreBatchError } from '../errors.ts';
import type { ModelFile } from '../runtime/model-file.ts';
import { loadModel, type Session, trySession } from '../runtime/session.ts';

export interface Serving {
  readonly model: ModelFile;
  readonly provider: ProviderText;
  readonly requireGpu: boolean;
}

/**
 * The model on the provider that served when the run was planned.
 *
 * @throws ScoreBatchError `unavailable` where it does not serve now: that is the device's fault, and may pass
 */
export async function openServing({ model, provider, requireGpu }: Serving): Promise<Session> {
  const session = await trySession(await loadModel(model), provider, requireGpu);
  if (!('why' in session)) return session;
  throw new ScoreBatchError('unavailable', `${provider} served when the run was planned, and now it does not`, {
    details: [session.why],
    hint: 'start again, the run goes on where it stopped; if it comes back, look at what else uses the device',
  });
}
