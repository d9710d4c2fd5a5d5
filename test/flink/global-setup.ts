import type { TestProject } from 'vitest/node';
import { flinkClassPath } from './flink.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Whether Flink can run; if not, the end of the output explains it. */
    flink: boolean;
  }
}

/** Without Java no test with Flink is run, and the last line says so; with CI=true that is an error. */
export async function setup(project: TestProject): Promise<() => void> {
  let reason: string | undefined;
  await flinkClassPath().catch((error: unknown) => {
    reason = error instanceof Error ? error.message : String(error);
    if (process.env.CI === 'true') throw new Error(`No Flink: ${reason}`, { cause: error });
  });
  project.provide('flink', reason === undefined);
  return () => {
    if (reason !== undefined) process.stderr.write(`The tests of Flink were NOT run: ${reason}\n`);
  };
}
