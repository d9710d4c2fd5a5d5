import { execFileSync } from 'node:child_process';
import { appendFile, chmod, readdir, readFile, rename, stat, symlink } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { linearProject } from '../support/linear-project.ts';
import { query, repository, temporaryFolder } from '../support/project.ts';
import { type Outcome, scoreBatch } from '../support/score-batch.ts';
import {
  digestOfFiles,
  type FakeRegistry,
  type FakeVersion,
  fakeRegistry,
  filesOf,
  json,
  type Misbehaviour,
} from './fake-registry.ts';

// A registry that misbehaves, played by a small HTTP server. Whatever it does, no row moves and nothing of it is kept.

const FILES = await filesOf(repository('test', 'fixtures', 'models', 'linear'));
const GOOD: FakeVersion = { files: FILES, tags: { 'score_batch.digest': digestOfFiles(FILES) } };
const PROXY = '/api/2.0/mlflow-artifacts/artifacts';

/** What is tried with a whole run; all else with `model verify`, which gets its bundle in the same way, and sooner. */
const IN_A_RUN = ['other bytes of the same number', 'a redirect', '401', 'no answer', 'an alias that is missing'];

interface How {
  readonly version?: FakeVersion;
  readonly misbehave?: Misbehaviour;
  readonly model?: string;
  readonly environment?: NodeJS.ProcessEnv;
}

interface Tried extends Outcome {
  readonly folder: string;
  readonly cache: string;
  readonly registry: FakeRegistry;
  again(environment?: NodeJS.ProcessEnv): Promise<Outcome>;
}

/** The week of a job whose model is in a registry. */
async function week(how: How = {}): Promise<Tried> {
  const { model = 'models:/linear@champion' } = how;
  const folder = await linearProject({ edit: (job) => job.replace('model: model', `model: ${model}`) });
  return await tried(folder, ['--week', '1997-W11'], how);
}

async function verify(how: How = {}): Promise<Tried> {
  return await tried(await temporaryFolder(), ['model', 'verify', how.model ?? 'models:/linear@champion'], how);
}

async function tried(folder: string, args: readonly string[], how: How): Promise<Tried> {
  const registry = await fakeRegistry({ 7: how.version ?? GOOD });
  if (how.misbehave !== undefined) registry.misbehave(how.misbehave);
  const cache = path.join(await temporaryFolder(), 'cache');
  const again = (more: NodeJS.ProcessEnv = {}) =>
    scoreBatch(folder, args, {
      ...{ MLFLOW_TRACKING_URI: registry.url, SCORE_BATCH_MODEL_CACHE: cache, MLFLOW_HTTP_REQUEST_TIMEOUT: '1' },
      ...{ ...how.environment, ...more },
    });
  return { ...(await again()), folder, cache, registry, again };
}

/** Bundles in the cache; nothing half-written may stay. */
async function cachedIn(cache: string): Promise<string[]> {
  return (await readdir(cache).catch(() => [])).filter((name) => name !== 'versions');
}

async function tablesIn(folder: string): Promise<unknown[]> {
  const sql = "select table_name from information_schema.tables where table_schema = 'marketing'";
  return await query(path.join(folder, 'data/warehouse.duckdb'), sql);
}

it('a registry that behaves is scored with, and asked for nothing but the version once its bundle is cached', async () => {
  const found = await week({ environment: { MLFLOW_TRACKING_TOKEN: 'token-of-a-test' } });
  expect(found).toMatchObject({ code: 0 });
  expect(await cachedIn(found.cache)).toEqual([digestOfFiles(FILES)]);
  expect(new Set(found.registry.headers.map(({ authorization }) => authorization))).toEqual(
    new Set(['Bearer token-of-a-test']),
  );
  const before = found.registry.requests.length;
  expect(await found.again({ SCORE_BATCH_NOW: '1997-03-17T09:00:00-05:00' })).toMatchObject({ code: 0 });
  expect(found.registry.requests.slice(before)).toEqual([
    'GET /api/2.0/mlflow/registered-models/alias?name=linear&alias=champion',
  ]);
});

it('the digest of a bundle is what sha256sum prints, so that anybody can check it', async () => {
  const { cache, again } = await verify();
  const [digest = ''] = await cachedIn(cache);
  const command = 'sha256sum golden.csv model.onnx model.yaml | sha256sum | cut -d" " -f1';
  expect(execFileSync('sh', ['-c', command], { cwd: path.join(cache, digest), encoding: 'utf8' }).trim()).toBe(digest);
  // Somebody changed what is cached: it is downloaded anew.
  const golden = path.join(cache, digest, 'golden.csv');
  await chmod(golden, 0o644);
  await appendFile(golden, '1,1,0.9\n');
  expect(await again()).toMatchObject({ code: 0 });
  expect(await readFile(golden)).toEqual(FILES['golden.csv']);
});

const other =
  (name: string, bytes: Buffer): Misbehaviour =>
  ({ url }, response) => {
    if (url.pathname !== `${PROXY}/0/7/artifacts/${name}`) return false;
    response.end(bytes);
    return true;
  };
const listing =
  (files: unknown): Misbehaviour =>
  ({ url }, response) => {
    if (url.pathname !== PROXY) return false;
    json(response, { files });
    return true;
  };
const always =
  (answer: (response: Parameters<Misbehaviour>[1]) => void): Misbehaviour =>
  (_, response) => {
    answer(response);
    return true;
  };
const listed = (more: readonly object[]) => [
  ...Object.entries(FILES).map(([path, bytes]) => ({ path, file_size: bytes.length })),
  ...more,
];
const changed = Buffer.from(FILES['golden.csv'] ?? '');
changed[changed.length - 2] = 0x31;

it.each<[what: string, code: number, message: RegExp, how: How]>([
  [
    'fewer bytes than listed',
    78,
    /lists \d+ bytes for model\.onnx, but sends 3/,
    { misbehave: other('model.onnx', Buffer.from('abc')) },
  ],
  [
    'more bytes than listed',
    78,
    /lists \d+ bytes for golden\.csv, but sends more/,
    { misbehave: other('golden.csv', Buffer.alloc(100_000, '1')) },
  ],
  [
    'other bytes of the same number',
    78,
    /models:\/linear\/7 does not match its tag/,
    { misbehave: other('golden.csv', changed) },
  ],
  [
    'a path with ..',
    78,
    /names an artifact "\.\.\/\.\.\/etc\/cron\.d\/x"/,
    { misbehave: listing(listed([{ path: '../../etc/cron.d/x', file_size: 1 }])) },
  ],
  [
    'an absolute path',
    78,
    /names an artifact "\/etc\/passwd"/,
    { misbehave: listing(listed([{ path: '/etc/passwd', file_size: 1 }])) },
  ],
  [
    'a path of another system',
    78,
    /names an artifact "C:\\\\x"/,
    { misbehave: listing(listed([{ path: 'C:\\x', file_size: 1 }])) },
  ],
  ['a name twice', 78, /lists golden\.csv twice/, { misbehave: listing(listed([{ path: 'golden.csv', is_dir: true }])) }],
  [
    'a file that is a folder',
    78,
    /has no model\.onnx among its artifacts/,
    { misbehave: listing([{ path: 'model.yaml', file_size: FILES['model.yaml']?.length }, { path: 'golden.csv' }]) },
  ],
  [
    'too many files',
    78,
    /lists more than 1000 artifacts/,
    { misbehave: listing(Array.from({ length: 1001 }, (_, i) => ({ path: `f${i}`, file_size: 1 }))) },
  ],
  ['folders without end', 78, /folders more than 5 deep/, { misbehave: listing([{ path: 'deeper', is_dir: true }]) }],
  [
    'a file without end',
    78,
    /lists 9999999999999 bytes for model\.yaml/,
    { misbehave: listing([{ path: 'model.yaml', file_size: '9999999999999' }]) },
  ],
  ['a listing without end', 78, /answers with more than 4 MB of JSON/, { misbehave: listing([{ path: 'x'.repeat(5e6) }]) }],
  ['a listing of another form', 78, /answers in a form that MLflow does not use/, { misbehave: listing('all of them') }],
  [
    'HTML instead of JSON',
    78,
    /answers with text\/html instead of JSON/,
    { misbehave: always((response) => response.setHeader('content-type', 'text/html').end('<html>log in</html>')) },
  ],
  [
    '404 of another server',
    78,
    /answers with 404 but no MLflow error code/,
    { misbehave: always((response) => response.writeHead(404).end('<html>')) },
  ],
  [
    'a redirect',
    78,
    /redirects to https:\/\/login\.example; redirects are not followed/,
    { misbehave: always((response) => response.writeHead(302, { location: 'https://login.example/?next=secret' }).end()) },
  ],
  ['401', 77, /answers with 401/, { misbehave: always((response) => response.writeHead(401).end()) }],
  ['403', 77, /answers with 403/, { misbehave: always((response) => response.writeHead(403).end()) }],
  ['500', 69, /answers with 500/, { misbehave: always((response) => response.writeHead(500).end()) }],
  ['no answer', 69, /did not answer within 1 s/, { misbehave: () => true }],
  [
    'half a file and then nothing',
    69,
    /did not answer within 1 s/,
    { misbehave: ({ url }, response) => url.pathname.endsWith('/model.onnx') && response.write('abc') && true },
  ],
  [
    'a connection that breaks in mid-file',
    69,
    /cannot be reached/,
    {
      misbehave: ({ url }, response) =>
        url.pathname.endsWith('/model.onnx') && response.write('abc', () => response.destroy()) && true,
    },
  ],
  ['an alias that is missing', 78, /the model linear has no alias canary/, { model: 'models:/linear@canary' }],
  ['a version that is missing', 78, /the model linear has no version 8/, { model: 'models:/linear/8' }],
  ['a model that is missing', 78, /has no model liner/, { model: 'models:/liner@champion' }],
  [
    'another version than asked for',
    78,
    /answered with a different model/,
    {
      model: 'models:/linear/7',
      misbehave: ({ url }, response) =>
        url.pathname.endsWith('/get') && json(response, { model_version: { name: 'linear', version: '6' } }).writableEnded,
    },
  ],
  [
    'a version that is not ready',
    69,
    /models:\/linear\/7 is not ready yet/,
    { version: { ...GOOD, status: 'PENDING_REGISTRATION' } },
  ],
  ['a version that failed', 78, /was never completely registered/, { version: { ...GOOD, status: 'FAILED_REGISTRATION' } }],
  [
    'artifacts in a bucket',
    78,
    /the artifacts of the model are under s3:/,
    { version: { files: FILES, uri: 's3://bucket/path' } },
  ],
  [
    'artifacts on a disk',
    78,
    /the artifacts of the model are under file:/,
    { version: { files: FILES, uri: 'file:///srv/mlflow/1' } },
  ],
  [
    'artifacts on another server',
    78,
    /on another server than the registry/,
    { version: { files: FILES, uri: 'mlflow-artifacts://elsewhere:5000/1/a' } },
  ],
  [
    'artifacts outside their root',
    78,
    /names an artifact "0\/\.\.\/\.\.\/x"/,
    { version: { files: FILES, uri: 'mlflow-artifacts:/0/../../x' } },
  ],
  [
    'no model.yaml',
    78,
    /models:\/linear\/7 has no model\.yaml among its artifacts/,
    { version: { files: { 'model.onnx': Buffer.from('x') } } },
  ],
  ...[
    ['a golden file with a name that no file system takes', 'g'.repeat(300)],
    ['a golden file below the model file', 'model.onnx/golden.csv'],
  ].map(([what = '', name = '']): [what: string, code: number, message: RegExp, how: How] => [
    what,
    78,
    /names an artifact "(g{100}|model\.onnx\/golden\.csv)", which cannot be a file here/,
    {
      version: {
        files: {
          ...FILES,
          'model.yaml': Buffer.from(`${FILES['model.yaml']}`.replace(/^golden:.*$/m, `golden: { file: ${name} }`)),
          [name]: Buffer.from('x'),
        },
      },
    },
  ]),
  [
    'a golden file elsewhere',
    78,
    /write a path inside the bundle/,
    {
      version: {
        files: {
          ...FILES,
          'model.yaml': Buffer.from(`${FILES['model.yaml']}`.replace(/^golden:.*$/m, 'golden: { file: ../golden.csv }')),
        },
      },
    },
  ],
])('%s is refused before a row moves, and nothing of it is kept', async (what, code, message, how) => {
  const inRun = IN_A_RUN.includes(what);
  const found = inRun ? await week(how) : await verify(how);
  expect(found).toMatchObject({ code, stderr: expect.stringMatching(message) });
  expect(await cachedIn(found.cache)).toEqual([]);
  if (inRun) expect(await tablesIn(found.folder)).toEqual([]);
});

it('a version that is not ready does not mean that the registry is down: what was pinned last is not taken for it', async () => {
  const folder = await linearProject({
    edit: (job) => `${job.replace('model: model', 'model: models:/linear@champion')}\nregistry: { when_down: pinned }\n`,
  });
  const found = await tried(folder, ['--week', '1997-W11'], {});
  expect(found).toMatchObject({ code: 0 });
  found.registry.misbehave(
    ({ url }, response) =>
      url.pathname.endsWith('/alias') &&
      json(response, { model_version: { name: 'linear', version: '8', status: 'PENDING_REGISTRATION' } }).writableEnded,
  );
  const later = { SCORE_BATCH_NOW: '1997-03-17T09:00:00-05:00' };
  expect(await found.again(later)).toMatchObject({ code: 69, stderr: expect.stringContaining('is not ready yet') });
  found.registry.misbehave(always((response) => response.writeHead(503).end()));
  expect(await found.again(later)).toMatchObject({ code: 0, stderr: expect.stringContaining('is taken to be version 7') });
});

it.each<[what: string, environment: NodeJS.ProcessEnv, message: RegExp]>([
  ['no address', { MLFLOW_TRACKING_URI: undefined }, /MLFLOW_TRACKING_URI is not set/],
  [
    'the address of another kind of registry',
    { MLFLOW_TRACKING_URI: 'databricks://profile' },
    /is not an http or https address/,
  ],
  [
    'a timeout that is not a number',
    { MLFLOW_HTTP_REQUEST_TIMEOUT: 'soon' },
    /MLFLOW_HTTP_REQUEST_TIMEOUT is not a number of seconds/,
  ],
  [
    'a token with a line break',
    { MLFLOW_TRACKING_TOKEN: 'abc\ndef' },
    /MLFLOW_TRACKING_TOKEN has characters that a token cannot have/,
  ],
])('%s is a mistake in the environment', async (_, environment, message) => {
  expect(await verify({ environment })).toMatchObject({ code: 78, stderr: expect.stringMatching(message) });
});

it.each(['models:/linear', 'models:/linear@', 'models:/linear/latest', 'models:/../7', 'models:/m-123', 'models://linear/7'])(
  '%s is refused in the job file, with its line',
  async (model) => {
    const { code, stderr, registry } = await week({ model });
    expect({ code, stderr }).toEqual({
      code: 78,
      stderr: expect.stringMatching(/job\.yaml:2:8: model: write models:\/NAME@ALIAS or models:\/NAME\/VERSION/),
    });
    expect(registry.requests).toEqual([]);
  },
);

it('neither password nor token is in what a server makes the command print', async () => {
  const secret = 'pass-word-of-a-test';
  const echo = always((response) => json(response, { error_code: 'INTERNAL_ERROR', message: `who is ${secret}?` }, 400));
  const found = await verify({
    misbehave: echo,
    environment: { MLFLOW_TRACKING_USERNAME: 'me', MLFLOW_TRACKING_PASSWORD: secret },
  });
  expect(found).toMatchObject({ code: 78, stderr: expect.stringContaining('who is [secret]?') });
  expect(found.registry.headers[0]?.authorization).toBe(`Basic ${Buffer.from(`me:${secret}`).toString('base64')}`);
});

it('a cache that cannot be written names the variable that moves it', async () => {
  const found = await verify({ environment: { SCORE_BATCH_MODEL_CACHE: '/dev/null/cache' } });
  expect(found).toMatchObject({
    code: 77,
    stderr: expect.stringMatching(/\/dev\/null\/cache cannot be written[\s\S]*SCORE_BATCH_MODEL_CACHE/),
  });
});

it('a bundle with a link in it is not registered: what the link leads to is not part of the bundle', async () => {
  const { folder, registry } = await week();
  const before = registry.requests.length;
  const golden = path.join(folder, 'model', 'golden.csv');
  await rename(golden, path.join(folder, 'golden.csv'));
  await symlink(path.join(folder, 'golden.csv'), golden);
  const { code, stderr } = await scoreBatch(folder, ['model', 'push', 'model'], { MLFLOW_TRACKING_URI: registry.url });
  expect({ code, stderr }).toEqual({ code: 78, stderr: expect.stringMatching(/model\/golden\.csv is a link/) });
  expect(registry.requests).toHaveLength(before);
});

it('a cached bundle is only read, so that its folder may be where nothing can be written', async () => {
  const { cache, again } = await verify();
  const before = await changedTimes(cache);
  expect(await again()).toMatchObject({ code: 0 });
  expect(await changedTimes(cache)).toEqual(before);
});

/** When each file and folder of the cache was last changed. */
async function changedTimes(cache: string): Promise<unknown[]> {
  const names = ['', ...(await readdir(cache, { recursive: true }))];
  return await Promise.all(names.map(async (name) => [name, (await stat(path.join(cache, name))).ctimeMs]));
}
