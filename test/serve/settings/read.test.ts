import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { withoutSecrets } from '../../../src/secrets.ts';
import { readSettings, type ServeFlags } from '../../../src/serve/settings/read.ts';
import { temporaryFolder } from '../../support/project.ts';

interface Given {
  readonly yaml?: string;
  readonly bundles?: string[];
  readonly flags?: ServeFlags;
  readonly environment?: NodeJS.ProcessEnv;
  readonly files?: Readonly<Record<string, string>>;
}

/** Reads settings in a folder where `conf/serve.yaml` is the file. */
async function read({ yaml, bundles = [], flags = {}, environment = {}, files = {} }: Given) {
  const folder = await temporaryFolder();
  await mkdir(path.join(folder, 'conf'));
  if (yaml !== undefined) await writeFile(path.join(folder, 'conf/serve.yaml'), yaml);
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text);
  const config = yaml === undefined ? {} : { config: 'conf/serve.yaml' };
  return { folder, settings: await readSettings({ bundles, flags: { ...config, ...flags }, folder, environment }) };
}

const digest = (token: string) => createHash('sha256').update(token).digest('hex');
const TOKEN = '0123456789abcdef-first';
const OTHER = '0123456789abcdef-other';

it('reads every key of the file, with paths beside it; flags win, with paths in the working folder', async () => {
  const yaml = `
models:
  - iris
  - { bundle: ../next, canary: 2.5% }
host: 0.0.0.0
port: 9000
grpc_port: false
processes: 3
providers: ["cuda:1", cpu]
require_gpu: true
limits: { body: 1MiB, rows: 10, text: 20, queued_rows: 30, streams: 4, connections: 5, head_time: 200ms, request_time: 2s }
max_delay: 3ms
drain: { lead: 1s, end: 1m }
origins: ["https://shop.example.com"]
hosts: [Score.Local]
token_file: tokens.txt
metrics: false
log: debug
`;
  const files = { 'conf/tokens.txt': `# clients\n${TOKEN}\n\n  ${OTHER}  \n`, 'mine.txt': `${TOKEN}\n` };
  const { folder, settings } = await read({ yaml, files });
  expect(settings).toEqual({
    bundles: [
      { folder: path.join(folder, 'conf/iris'), canary: undefined },
      { folder: path.join(folder, 'next'), canary: 2.5 },
    ],
    host: '0.0.0.0',
    port: 9000,
    grpcPort: undefined,
    processes: 3,
    providers: ['cuda:1', 'cpu'],
    requireGpu: true,
    limits: { body: 1_048_576, rows: 10, text: 20, queuedRows: 30, streams: 4, connections: 5, headMs: 200, requestMs: 2000 },
    maxDelayMs: 3,
    drain: { leadMs: 1000, endMs: 60_000 },
    origins: ['https://shop.example.com'],
    hosts: ['score.local'],
    tokens: [digest(TOKEN), digest(OTHER)],
    tls: undefined,
    metrics: false,
    log: 'debug',
  });
  const flags = {
    host: '127.0.0.1',
    port: 1,
    grpcPort: 2,
    processes: 4,
    providers: ['cpu'],
    maxDelay: 0,
    drainLead: 5,
    log: 'warn',
  } as const;
  const other = await read({ yaml, files, bundles: ['churn'], flags: { ...flags, tokenFile: 'mine.txt' } });
  expect(other.settings).toMatchObject({
    bundles: [{ folder: path.join(other.folder, 'churn'), canary: undefined }],
    host: '127.0.0.1',
    port: 1,
    grpcPort: 2,
    processes: 4,
    providers: ['cpu'],
    maxDelayMs: 0,
    drain: { leadMs: 5, endMs: 60_000 },
    tokens: [digest(TOKEN)],
    log: 'warn',
  });
  // No message shows a token from now on.
  expect(withoutSecrets(`Bearer ${OTHER}`)).toBe('Bearer [secret]');
});

it('names every problem of a file at once, each with its place', async () => {
  const yaml = [
    'models: [{ bundle: iris, canary: 10 }, iris, { bundel: x }]',
    'prot: 8080',
    'port: 70000',
    'grpc_port: none',
    'processes: 0',
    'providers: [gpu]',
    'limits: { body: lots, rwos: 5 }',
    'max_delay: 5',
    'drain: { lead: 5 minutes }',
    'origins: ["https://shop.example.com/path"]',
    'log: loud',
  ].join('\n');
  const error = await read({ yaml }).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ kind: 'configuration', hint: 'docs/serve-settings.md explains every key' });
  expect((error as { details: string[] }).details).toEqual([
    'conf/serve.yaml:1:34: models.0.canary: write a share like 10%',
    expect.stringMatching(/^conf\/serve\.yaml:1:\d+: models\.2/),
    expect.stringMatching(/^conf\/serve\.yaml:1:\d+: models\.2.*(bundel|bundle)/),
    'conf/serve.yaml:2:1: unknown key prot; did you mean port?',
    'conf/serve.yaml:3:7: port: must be a port, 0 to 65535',
    'conf/serve.yaml:4:12: grpc_port: must be a port, 0 to 65535, or false for HTTP only',
    'conf/serve.yaml:5:12: processes: must be at least 1',
    expect.stringContaining('providers.0: there is no execution provider gpu; for a GPU write cuda'),
    expect.stringContaining('limits.body: write a size like 8MiB'),
    expect.stringContaining('unknown key rwos; did you mean rows?'),
    'conf/serve.yaml:8:12: max_delay: write a duration like 200ms, 5s or 1m',
    expect.stringContaining('drain.lead: write a duration'),
    expect.stringContaining('origins.0: write an origin like https://shop.example.com, without a path'),
    'conf/serve.yaml:11:6: log: expected one of warn, info, debug',
  ]);
});

it.each<[title: string, given: Given, message: string | RegExp]>([
  ['no bundle', {}, 'no bundle is given'],
  ['a file that is not there', { flags: { config: 'none.yaml' } }, /none\.yaml does not exist$/],
  ['a bundle twice', { yaml: 'models: [iris, iris]' }, /has a problem$/],
  ['one port for both', { bundles: ['iris'], flags: { port: 8081 } }, 'HTTP and gRPC cannot both use port 8081'],
  ['an origin with a path', { bundles: ['iris'], flags: { origins: ['https://a.example/x'] } }, /is not an origin$/],
  [
    'a certificate without a key',
    { bundles: ['iris'], flags: { tlsCert: 'a.pem' } },
    'TLS needs both a certificate and its key',
  ],
  [
    'every address without tokens',
    { bundles: ['iris'], flags: { host: '0.0.0.0' } },
    /^on 0\.0\.0\.0 anyone who reaches this machine/,
  ],
  ['another address in the file', { yaml: 'models: [iris]\nhost: "::"' }, /^on :: anyone/],
  ['a file without a token', { bundles: ['iris'], flags: { tokenFile: 't' }, files: { t: '# none\n' } }, /has no token$/],
  [
    'a short token',
    { bundles: ['iris'], flags: { tokenFile: 't' }, files: { t: `${TOKEN}\nshort\n` } },
    /\/t:2: a token needs at least 16/,
  ],
  [
    'a token that no header takes',
    { bundles: ['iris'], environment: { SCORE_BATCH_SERVE_TOKEN: 'with a space in it' } },
    /letters, digits/,
  ],
  // Set by a deployment whose secret is empty: that is not the same as no token.
  [
    'an empty variable',
    { bundles: ['iris'], environment: { SCORE_BATCH_SERVE_TOKEN: '' } },
    /^SCORE_BATCH_SERVE_TOKEN: a token needs/,
  ],
])('refuses %s', async (_, given, message) => {
  await expect(read(given)).rejects.toThrow(message);
});

it('listens on every address with tokens, or where that is said', async () => {
  const flags = { host: '0.0.0.0' };
  const environment = { SCORE_BATCH_SERVE_TOKEN: TOKEN };
  expect((await read({ bundles: ['iris'], flags, environment })).settings.tokens).toEqual([digest(TOKEN)]);
  expect((await read({ bundles: ['iris'], flags: { ...flags, allowAnyone: true } })).settings.host).toBe('0.0.0.0');
  expect((await read({ yaml: 'models: [iris]\nhost: 0.0.0.0\nallow_anyone: true' })).settings.host).toBe('0.0.0.0');
});
