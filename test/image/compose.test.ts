import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { bigquery, expectedCsv, missing } from '../across/week.ts';
import { repository, temporaryFolder } from '../support/project.ts';
import { type ContainerOptions, runContainer } from './container.ts';
import { images, rootOf } from './images.ts';

interface Service {
  readonly image: string;
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly read_only: boolean;
  readonly environment: Readonly<Record<string, string>>;
  readonly volumes: readonly string[];
}

// Without the tools that build an image, or without an emulator; the last lines of the output say which.
describe.skipIf(images === undefined || missing.bigquery)('docker-compose.yml', () => {
  it('loads the orders and scores the demo, in the image', async () => {
    const { services } = parse(await readFile(repository('docker-compose.yml'), 'utf8'), { merge: true }) as {
      services: Record<string, Service>;
    };
    const reports = await temporaryFolder();
    const run = async (name: string) => {
      const service = services[name];
      if (service === undefined) throw new Error(`there is no service ${name}`);
      expect(service).toMatchObject({ image: 'score-batch:0.2.0', read_only: true });
      const root = await rootOf('command');
      const mounts: Record<string, { from: string; readOnly?: boolean }> = { '/tmp': { from: await temporaryFolder() } };
      for (const [from = '', place = '', mode] of service.volumes.map((volume) => volume.split(':'))) {
        mounts[place] = from === './reports' ? { from: reports } : { from: repository(from), readOnly: mode === 'ro' };
      }
      // The network is this machine's, on which the emulator has another address.
      const env = {
        ...service.environment,
        BIGQUERY_EMULATOR_HOST: bigquery?.rest,
        BIGQUERY_STORAGE_EMULATOR_HOST: bigquery?.grpc,
      };
      const options: ContainerOptions = {
        args: service.command ?? [],
        ...(service.entrypoint === undefined ? {} : { entrypoint: service.entrypoint }),
        env,
        mounts,
      };
      const { code, stderr } = await runContainer(root, options);
      expect(code, stderr).toBe(0);
    };
    await run('orders');
    await run('demo');
    expect(await readFile(path.join(reports, 'churn-1997-W11.csv'), 'utf8')).toBe(await expectedCsv());
  });
});
