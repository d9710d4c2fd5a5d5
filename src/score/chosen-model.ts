import type { ProviderText } from '../domain/provider.ts';
import { ScoreBatchError } from '../errors.ts';
import type { ModelFile } from '../runtime/model-file.ts';
import { loadModel, type Session, trySession } from '../runtime/session.ts';

export interface ChosenModel {
  readonly model: ModelFile;
  readonly provider: ProviderText;
  readonly requireGpu: boolean;
}

/**
 * Opens the model on the provider that was chosen when the run was planned.
 *
 * @throws ScoreBatchError `unavailable` if the provider cannot run it now: a problem of the device, which may be temporary
 */
export async function openChosenModel({ model, provider, requireGpu }: ChosenModel): Promise<Session> {
  const session = await trySession(await loadModel(model), provider, requireGpu);
  if (!('why' in session)) return session;
  throw new ScoreBatchError('unavailable', `${provider} worked when the run was planned, but no longer works`, {
    details: [session.why],
    hint: 'run the same command again to resume; if it fails again, check what else uses the device',
  });
}
