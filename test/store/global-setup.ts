import type { TestProject } from 'vitest/node';
import { type StoreServer, startGcs, startS3 } from './servers.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Endpoints of the servers; undefined where they cannot run, which the end of the output explains. */
    stores: { readonly s3: string; readonly gs: string } | undefined;
  }
}

/**
 * Starts one server of each store for all tests, and ends it after them. Where they cannot be installed, say without Go, none of these
 * tests is run and the last line says so; with CI=true that is an error.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const servers: StoreServer[] = [];
  let reason = '';
  try {
    for (const start of [startS3, startGcs]) servers.push(await start());
  } catch (error) {
    reason = error instanceof Error ? error.message : String(error);
    for (const server of servers) await server.stop();
    if (process.env.CI === 'true') throw new Error(`No servers of object stores: ${reason}`, { cause: error });
  }
  const [s3, gs] = servers;
  project.provide('stores', reason === '' && s3 && gs ? { s3: s3.endpoint, gs: gs.endpoint } : undefined);
  return async () => {
    if (reason === '') for (const server of servers) await server.stop();
    else process.stderr.write(`The tests of object stores were NOT run: ${reason}\n`);
  };
}
