import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { type Emulator, startEmulator } from './emulator.ts';

/** Where the BigQuery emulator answers: `rest` is a URL, `grpc` is HOST:PORT of its Storage API. */
interface BigQueryAddress {
  readonly rest: string;
  readonly grpc: string;
}

/** Where the Snowflake emulator answers: a URL for the driver's `accessUrl`. */
interface SnowflakeAddress {
  readonly url: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    /** Undefined where the emulator cannot run, which the end of the output explains: skip what needs it. */
    bigquery: BigQueryAddress | undefined;
    snowflake: SnowflakeAddress | undefined;
  }
}

/**
 * Starts the emulators before the tests and ends them after. Where one cannot be started, say without Python, its tests
 * are not run and the last line says so; with CI=true that is an error.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const running: Emulator<unknown>[] = [];
  const notRun: { readonly warehouse: string; readonly reason: string }[] = [];

  async function available<Address>(
    warehouse: string,
    given: Address | undefined,
    start: () => Promise<Emulator<Address>>,
  ): Promise<Address | undefined> {
    if (given !== undefined) return given;
    try {
      const emulator = await start();
      running.push(emulator);
      return emulator.address;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (process.env.CI === 'true') throw new Error(`No emulator of ${warehouse}: ${reason}`, { cause: error });
      notRun.push({ warehouse, reason });
      return undefined;
    }
  }

  const started = await Promise.allSettled([
    available('BigQuery', bigqueryOfEnvironment(), () => startEmulator<BigQueryAddress>('bigquery', 'run_bigquery.py')),
    available('Snowflake', snowflakeOfEnvironment(), () =>
      startEmulator<SnowflakeAddress>('snowflake', 'fakesnow_json.py', '--end-with-parent'),
    ),
  ]);
  const failed = started.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) {
    await Promise.all(running.map(({ stop }) => stop(true)));
    throw failed.reason;
  }
  const [bigquery, snowflake] = started;
  project.provide('bigquery', bigquery.status === 'fulfilled' ? bigquery.value : undefined);
  project.provide('snowflake', snowflake.status === 'fulfilled' ? snowflake.value : undefined);

  // Vitest calls this after its summary, so what is written here comes last.
  return async () => {
    const keepLogs = project.vitest.state.getCountOfFailedTests() > 0;
    await Promise.all(running.map(({ stop }) => stop(keepLogs)));
    if (keepLogs && running.length > 0) {
      const logs = running.map(({ log }) => path.relative('', log));
      process.stderr.write(`Logs of the emulators: ${logs.join(', ')}\n`);
    }
    if (notRun.length > 0) {
      const warehouses = notRun.map(({ warehouse }) => warehouse).join(' and ');
      const reasons = [...new Set(notRun.map(({ reason }) => reason))];
      for (const reason of reasons.filter((text) => text.includes('\n'))) process.stderr.write(`${reason}\n`);
      const short = reasons.map((reason) => reason.split('\n', 1)[0]).join('; ');
      process.stderr.write(`The tests of ${warehouses} were NOT run: ${short}\n`);
    }
  };
}

/** Emulators that run already, such as those of docker-compose.yml. */
function bigqueryOfEnvironment(): BigQueryAddress | undefined {
  const { BIGQUERY_EMULATOR_HOST: rest, BIGQUERY_STORAGE_EMULATOR_HOST: grpc } = process.env;
  if (rest === undefined && grpc === undefined) return undefined;
  if (rest === undefined || grpc === undefined) {
    throw new Error('BIGQUERY_EMULATOR_HOST and BIGQUERY_STORAGE_EMULATOR_HOST belong together: set both or neither.');
  }
  // The client would take it for its address too, and leave out a part of the path that this emulator insists on.
  delete process.env.BIGQUERY_EMULATOR_HOST;
  return { rest: rest.includes('://') ? rest : `http://${rest}`, grpc: grpc.replace(/^.*:\/\//, '') };
}

function snowflakeOfEnvironment(): SnowflakeAddress | undefined {
  const url = process.env.SNOWFLAKE_EMULATOR_URL;
  return url === undefined ? undefined : { url };
}
