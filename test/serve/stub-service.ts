import type { OnlineModel } from '../../src/serve/online-model.ts';
import type { Observation, Service } from '../../src/serve/service.ts';
import { settingsOf } from './served.ts';

type Overrides = NonNullable<Parameters<typeof settingsOf>[1]>;

/** A process that serves one model, without listening. @returns the service, and what was observed */
export function stubService(model: OnlineModel, overrides: Overrides = {}): { service: Service; observed: Observation[] } {
  const observed: Observation[] = [];
  const ignore = () => undefined;
  const service: Service = {
    settings: settingsOf([], overrides),
    models: { list: () => [model], find: () => model },
    ready: () => true,
    draining: () => false,
    observe: (observation) => observed.push(observation),
    metrics: undefined,
    log: { warn: ignore, debug: ignore, bug: ignore },
  };
  return { service, observed };
}
