import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { download } from '../../src/registry/artifacts.ts';
import type { TrackingServer } from '../../src/registry/server.ts';
import { temporaryFolder } from '../support/project.ts';
import { fakeRegistry } from './fake-registry.ts';

const ROOT = '0/7/artifacts';

function serverAt(base: string, timeoutMs: number): TrackingServer {
  return { base, headers: {}, timeoutMs, signal: new AbortController().signal };
}

/** Begins a file, and sends no more of it. */
async function begun(name: string) {
  const registry = await fakeRegistry({});
  let closed: Promise<unknown> = Promise.reject(new Error('not asked'));
  closed.catch(() => undefined);
  registry.misbehave((_, response) => {
    closed = once(response, 'close');
    response.write('a');
    return true;
  });
  const folder = await temporaryFolder();
  const get = () =>
    download(serverAt(registry.url, 1e8), {
      ...{ root: ROOT, artifact: { path: name, bytes: 3 }, to: path.join(folder, name), limit: 10 },
    });
  return { folder, get, closed: () => closed };
}

it.each([
  ['of more characters than a name can have', 'g'.repeat(300)],
  ['below a file', 'model.onnx/golden.csv'],
  ['far below a file', 'model.onnx/a/golden.csv'],
  ['where a folder is', 'folder'],
])('a path %s is refused by its name, and the connection is not left open', async (_, name) => {
  const { folder, get, closed } = await begun(name);
  await writeFile(path.join(folder, 'model.onnx'), 'x');
  await mkdir(path.join(folder, 'folder'));
  await expect(get()).rejects.toMatchObject({
    ...{ kind: 'configuration', registryDown: false },
    message: expect.stringContaining(`the registry names an artifact "${name.slice(0, 100)}"`),
  });
  await closed();
});
