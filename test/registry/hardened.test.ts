import { chmod, mkdir, readdir, stat, utimes } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { artifactRoot } from '../../src/registry/artifact-path.ts';
import { keep } from '../../src/registry/cache.ts';
import { send } from '../../src/registry/request.ts';
import { trackingServer, transferMs } from '../../src/registry/server.ts';
import { deliveringProject, LINK, WEBHOOK } from '../delivery/project.ts';
import { webhookServer } from '../delivery/webhook-server.ts';
import { writeBundle } from '../support/challenger-project.ts';
import { linearProject } from '../support/linear-project.ts';
import { repository, temporaryFolder } from '../support/project.ts';
import { scoreBatch, startScoreBatch } from '../support/score-batch.ts';
import { digestOfFiles, fakeRegistry, filesOf, json } from './fake-registry.ts';

const LINEAR = repository('test', 'fixtures', 'models', 'linear');
const FILES = await filesOf(LINEAR);
const TAGS = { 'score_batch.digest': digestOfFiles(FILES) };
const { signal } = new AbortController();

async function otherFiles(): Promise<Record<string, Buffer>> {
  const folder = path.join(await temporaryFolder(), 'model-2');
  await writeBundle(folder);
  return await filesOf(folder);
}

interface ProjectOptions {
  /** Of the job file. */
  readonly delivery?: string;
  /** Address of the webhook that `delivery` names. */
  readonly webhook?: string;
  /** Further lines of the job file. */
  readonly more?: string;
}

async function project(url: string, { delivery, webhook, more = '' }: ProjectOptions = {}) {
  const edit = (job: string) => `${job.replace('model: model', 'model: models:/linear@champion')}${more}`;
  const folder = await (delivery === undefined ? linearProject({ edit }) : deliveringProject(delivery, { edit }));
  const environment = {
    ...(webhook !== undefined && { CHURN_WEBHOOK_URL: webhook }),
    ...{ MLFLOW_TRACKING_URI: url, MLFLOW_HTTP_REQUEST_TIMEOUT: '1' },
    SCORE_BATCH_MODEL_CACHE: path.join(await temporaryFolder(), 'cache'),
  };
  const call = (...args: string[]) => scoreBatch(folder, args, environment);
  return { folder, call, environment };
}

it('a tag with the digest of another bundle is not believed, though that bundle is cached', async () => {
  const registry = await fakeRegistry({ 7: { files: FILES, tags: TAGS }, 8: { files: await otherFiles(), tags: TAGS } });
  const { call } = await project(registry.url);
  expect(await call('model', 'verify', 'models:/linear/7')).toMatchObject({ code: 0 });
  expect(await call('model', 'verify', 'models:/linear/8')).toMatchObject({
    code: 78,
    stderr: expect.stringContaining('models:/linear/8 does not match its tag'),
  });
});

it('`model push` takes no version for its own that has the tag and lacks the files', async () => {
  const registry = await fakeRegistry({ 7: { files: FILES }, 8: { files: { 'model.yaml': Buffer.from('x') } } });
  const { folder, call } = await project(registry.url);
  const tagged = (version: string) =>
    registry.misbehave(({ url: { pathname } }, response) => {
      const tags = Object.entries(TAGS).map(([key, value]) => ({ key, value }));
      if (pathname.endsWith('/registered-models/create')) json(response, {});
      else if (pathname.endsWith('/model-versions/search'))
        json(response, { model_versions: [{ name: 'linear', version, tags }] });
      else return false;
      return true;
    });
  tagged('7');
  expect(await call('model', 'push', path.join(folder, 'model'))).toMatchObject({ code: 0 });
  expect(registry.requests.join('\n')).not.toContain('/runs/create');
  tagged('8');
  await call('model', 'push', path.join(folder, 'model'));
  expect(registry.requests.join('\n')).toContain('/runs/create');
});

it('`score` and `publish` can be repeated after the window was published and told of, and the alias has moved', async () => {
  const registry = await fakeRegistry({
    7: { files: FILES, tags: TAGS },
    8: { files: await otherFiles() },
  });
  const { url: webhook, posted } = await webhookServer();
  const { call } = await project(registry.url, { delivery: LINK + WEBHOOK, webhook });
  for (const step of ['freeze', 'score', 'publish']) {
    const { code, stderr } = await call(step, '--week', '1997-W11');
    expect(code, stderr).toBe(0);
  }
  // The message has entries of the window's ledger after those of the run.
  expect(posted).toHaveLength(1);
  registry.champion = '8';
  for (const step of ['score', 'publish']) {
    const { code, stderr } = await call(step, '--week', '1997-W11');
    expect(code, stderr).toBe(0);
  }
});

it('a full disk does not count as a registry that is down: no older version is taken, and nothing is kept', async () => {
  const registry = await fakeRegistry({
    7: { files: FILES, tags: TAGS },
    8: { files: { ...FILES, 'model.onnx': Buffer.alloc(17e6) } },
  });
  const { folder, call, environment } = await project(registry.url, { more: 'registry: { when_down: pinned }\n' });
  expect(await call('--week', '1997-W11')).toMatchObject({ code: 0 });
  registry.champion = '8';
  // A limit of 8 or 16 MB per file, by the shell; the system refuses to write more, as if the disk were full.
  const limited = ['sh', '-c', 'ulimit -f 16384 && exec "$@"', 'sh'];
  const { code, stderr } = await startScoreBatch(folder, ['--week', '1997-W11'], environment, limited).ended;
  expect({ code, stderr }).toEqual({ code: 77, stderr: expect.stringMatching(/model\.onnx cannot be written \(EFBIG\)/) });
  expect(await readdir(environment.SCORE_BATCH_MODEL_CACHE)).toEqual([TAGS['score_batch.digest'], 'versions']);
});

it('`model init` makes a bundle that its owner can edit and others can read, as the umask says', async () => {
  const registry = await fakeRegistry({ 7: { files: FILES } });
  const { folder, call } = await project(registry.url);
  expect(await call('model', 'init', 'models:/linear/7', '--out', 'made')).toMatchObject({ code: 0 });
  const mode = async (...name: string[]) => (await stat(path.join(folder, 'made', ...name))).mode & 0o777;
  const allowed = ~process.umask();
  expect([await mode(), await mode('model.yaml'), await mode('model.onnx')]).toEqual([
    0o777 & allowed,
    0o666 & allowed,
    0o666 & allowed,
  ]);
});

it('a server that sends a byte now and then has an end: what a file may take is bounded by its size', async () => {
  const registry = await fakeRegistry({ 7: { files: FILES, tags: TAGS } });
  registry.misbehave(({ url }, response) => {
    if (!url.pathname.endsWith('/model.onnx')) return false;
    const timer = setInterval(() => response.write('a'), 200);
    response.on('close', () => clearInterval(timer));
    return true;
  });
  const { call } = await project(registry.url);
  expect(await call('model', 'verify', 'models:/linear/7')).toMatchObject({
    code: 69,
    stderr: expect.stringMatching(/did not send model\.onnx within 1(\.\d)? s \(MLFLOW_HTTP_REQUEST_TIMEOUT\)/),
  });
});

it('an upload has time for its size', async () => {
  expect(transferMs({ timeoutMs: 30_000 }, 2e9)).toBe(2_030_000);
  const server = createServer((request, response) => {
    request.resume().on('end', () => setTimeout(() => response.end(), 400));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const put = (bytes: number) =>
    send(
      { base, headers: {}, timeoutMs: 200, signal },
      {
        ...{ method: 'PUT', path: '/x', repeatable: false },
        body: new Uint8Array(bytes),
      },
    );
  await expect(put(1)).rejects.toMatchObject({ kind: 'unavailable', message: expect.stringContaining('did not answer') });
  const answer = await put(5e6);
  expect(answer.status).toBe(200);
  answer.end();
});

it('a % that begins no character is a mistake in the environment, or in the registry', () => {
  const server = { base: 'http://registry', headers: {}, timeoutMs: 1, signal };
  for (const user of ['me:100%@', '50%:secret@'])
    expect(() => trackingServer({ MLFLOW_TRACKING_URI: `http://${user}registry` }, signal)).toThrow(
      expect.objectContaining({ kind: 'configuration' }),
    );
  expect(() => artifactRoot('http://registry/api/2.0/mlflow-artifacts/artifacts/0/%zz', server)).toThrow(
    expect.objectContaining({ kind: 'configuration' }),
  );
});

// For root nothing is in the way of removing.
it.skipIf(process.getuid?.() === 0)('what cannot be removed from the cache stops no download', async () => {
  const root = await temporaryFolder();
  const left = path.join(root, '.old.partial');
  await mkdir(path.join(left, 'inner', 'file'), { recursive: true });
  await chmod(path.join(left, 'inner'), 0o500);
  onTestFinished(() => chmod(path.join(left, 'inner'), 0o700));
  await utimes(left, 0, 0);
  expect(await keep({ root }, async () => 'digest')).toMatchObject({ digest: 'digest' });
});
