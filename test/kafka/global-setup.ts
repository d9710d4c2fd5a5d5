import type { TestProject } from 'vitest/node';
import { type KafkaCluster, startKafka } from './broker.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** `host:port` of a broker for all tests; undefined where Kafka cannot run, which the end of the output explains. */
    kafka: readonly string[] | undefined;
  }
}

/**
 * Starts one broker for the tests that need no more, and ends it after them. Where it cannot be started, say without Java, no test with
 * Kafka is run and the last line says so; with CI=true that is an error.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  let cluster: KafkaCluster | undefined;
  let reason = '';
  try {
    cluster = await startKafka();
  } catch (error) {
    reason = error instanceof Error ? error.message : String(error);
    if (process.env.CI === 'true') throw new Error(`No Kafka: ${reason}`, { cause: error });
  }
  project.provide('kafka', cluster?.brokers);
  return async () => {
    await cluster?.stop();
    if (cluster !== undefined) return;
    const [first, ...rest] = reason.split('\n');
    if (rest.length > 0) process.stderr.write(`${reason}\n`);
    process.stderr.write(`The tests of Kafka were NOT run: ${first}\n`);
  };
}
