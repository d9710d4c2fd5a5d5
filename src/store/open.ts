import type { StoreAddress, StoreScheme } from '../domain/store-address.ts';
import { readTimeouts } from '../warehouse/timeouts.ts';
import type { ObjectStore } from './object-store.ts';

/**
 * The stores of both clouds behind one interface. A client is loaded when an address first needs it.
 *
 * @param environment of the process, in which the clients also look for credentials
 */
export function openStores(environment: NodeJS.ProcessEnv, signal: AbortSignal): ObjectStore {
  const opened = new Map<StoreScheme, Promise<ObjectStore>>();
  const of = ({ scheme }: StoreAddress): Promise<ObjectStore> => {
    const store = opened.get(scheme) ?? open(scheme, environment, signal);
    opened.set(scheme, store);
    return store;
  };
  return {
    look: async (address) => await (await of(address)).look(address),
    put: async (address, upload) => await (await of(address)).put(address, upload),
    mayWrite: async (address) => await (await of(address)).mayWrite(address),
    list: async (prefix) => await (await of(prefix)).list(prefix),
  };
}

async function open(scheme: StoreScheme, environment: NodeJS.ProcessEnv, signal: AbortSignal): Promise<ObjectStore> {
  const timeouts = readTimeouts(environment);
  if (scheme === 's3') return await (await import('./s3.ts')).openS3({ environment, signal, timeouts });
  return await (await import('./gcs.ts')).openGcs({ environment, signal, timeouts });
}
