import { onTestFinished } from 'vitest';
import { type Serving, startServing } from '../../src/serve/process/serving.ts';
import { DEFAULT_LIMITS, type Limits, type ServeSettings } from '../../src/serve/settings.ts';
import { repository } from '../support/project.ts';

export const IRIS = repository('models', 'iris');
export const CHURN = repository('models', 'churn');

type Overrides = Partial<Omit<ServeSettings, 'limits'>> & { readonly limits?: Partial<Limits> };

/** Settings for a server on ports that the system chooses. @param folders of bundles */
export function settingsOf(folders: readonly string[], { limits, ...overrides }: Overrides = {}): ServeSettings {
  return {
    bundles: folders.map((folder) => ({ folder, canary: undefined })),
    host: '127.0.0.1',
    port: 0,
    grpcPort: undefined,
    processes: 1,
    features: undefined,
    providers: ['cpu'],
    requireGpu: false,
    maxDelayMs: 0,
    drain: { leadMs: 0, endMs: 1000 },
    origins: [],
    hosts: [],
    tokens: [],
    tls: undefined,
    metrics: true,
    log: 'warn',
    ...overrides,
    limits: { ...DEFAULT_LIMITS, ...limits },
  };
}

/** A server in this process, closed at the end of the test. */
export async function served(folders: readonly string[], overrides: Overrides = {}): Promise<Serving> {
  const serving = await startServing(settingsOf(folders, overrides));
  onTestFinished(() => serving.close());
  return serving;
}
