import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { download, listArtifacts } from '../../src/registry/artifacts.ts';
import type { TrackingServer } from '../../src/registry/server.ts';
import { temporaryFolder } from '../support/project.ts';
import { fakeRegistry, json } from './fake-registry.ts';

const ROOT = '0/7/artifacts';

function serverAt(base: string, timeoutMs: number): TrackingServer {
  return { base, headers: {}, timeoutMs, signal: new AbortController().signal };
}

it('a listing has an end though it has folders in folders, and each answer comes in time', async () => {
  const registry = await fakeRegistry({});
  let asked = 0;
  registry.misbehave(({ url }, response) => {
    const depth = (url.searchParams.get('path') ?? '').slice(ROOT.length).split('/').length;
    const files = Array.from({ length: depth < 5 ? 4 : 0 }, (_, i) => ({ path: `f${i}`, is_dir: true }));
    asked += 1;
    setTimeout(() => json(response, { files }), 50);
    return true;
  });
  // 341 folders of 50 ms each.
  await expect(listArtifacts(serverAt(registry.url, 1000), ROOT)).rejects.toMatchObject({
    ...{ kind: 'unavailable', registryDown: true },
    message: expect.stringContaining('did not list all artifacts within 1 s (MLFLOW_HTTP_REQUEST_TIMEOUT)'),
  });
  expect(asked).toBeGreaterThan(1);
});

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
