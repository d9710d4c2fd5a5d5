import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { repository, temporaryFolder } from '../../support/project.ts';
import { startScoreBatch } from '../../support/score-batch.ts';
import { IRIS } from '../served.ts';
import { clientOf } from './client.ts';

const SERVE = ['serve', IRIS, '--port', '0', '--grpc-port', '0'];

/** Where the built server listens for gRPC. */
async function listening(): Promise<{ address: string; end(): Promise<unknown> }> {
  const { process: child, ended } = startScoreBatch(repository(), SERVE);
  onTestFinished(() => void child.kill('SIGKILL'));
  let printed = '';
  const address = await new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (text: string) => {
        printed += text;
        const [, found] = / and (\S+) \(gRPC\)/.exec(printed) ?? [];
        if (found !== undefined) resolve(found);
      });
    }
    void ended.then(() => reject(new Error(printed)));
  });
  return {
    address,
    end: async () => {
      child.kill('SIGTERM');
      return await ended;
    },
  };
}

it('serves from dist, which has the definition of the protocol', async () => {
  const { address, end } = await listening();
  const client = clientOf(address);
  expect(await client.call('ModelReady', { name: 'iris' })).toEqual({ ready: true });
  const contents = { fp32_contents: [5.1, 3.5, 1.4, 0.2] };
  const inputs = [{ name: 'measurements', datatype: 'FP32', shape: [1, 4], contents }];
  const { outputs } = await client.infer({ model_name: 'iris', inputs });
  expect(outputs[0]?.contents?.bytes_contents?.map(String)).toEqual(['setosa']);
  const ending = end();
  // Still answered, while no longer ready.
  await expect.poll(() => client.call('ServerReady', {})).toEqual({ ready: false });
  expect((await client.infer({ model_name: 'iris', inputs })).outputs).toHaveLength(3);
  expect(await ending).toMatchObject({ code: expect.any(Number), signal: null });
});

it('supervises processes without the native packages that only those need', async () => {
  const loaded = new Set<string>();
  const load = async (file: string): Promise<void> => {
    if (loaded.has(file)) return;
    loaded.add(file);
    const text = await readFile(repository('dist', file), 'utf8');
    for (const [, next = ''] of text.matchAll(/^import .*"\.\/([^"]+)";$/gm)) await load(next);
  };
  await load('cli-serve.js');
  expect([...loaded]).toContain('cli-always.js');
  expect([...loaded].filter((file) => /warehouse|run\.js/.test(file))).toEqual([]);
});

it('says how to install the packages where they are not', async () => {
  const folder = await temporaryFolder();
  await cp(repository('dist'), path.join(folder, 'dist'), { recursive: true });
  await cp(repository('package.json'), path.join(folder, 'package.json'));
  await mkdir(path.join(folder, 'node_modules'));
  for (const name of await readdir(repository('node_modules'))) {
    if (name !== '@grpc') await symlink(repository('node_modules', name), path.join(folder, 'node_modules', name));
  }
  const run = promisify(execFile)(process.execPath, [path.join(folder, 'dist', 'cli.js'), ...SERVE]);
  await expect(run).rejects.toMatchObject({ code: 78, stderr: expect.stringContaining('npm install @grpc/grpc-js') });
});
