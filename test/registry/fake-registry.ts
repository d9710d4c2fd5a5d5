import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { onTestFinished } from 'vitest';

// What a tracking server of MLflow would never do: bytes other than listed, paths that lead elsewhere, answers that never come. The real
// one is asked in the files named *.mlflow.test.ts.

/** Answers a request itself; false leaves it to the well-behaved registry. */
export type Misbehaviour = (
  request: { readonly method: string; readonly url: URL },
  response: ServerResponse,
) => boolean | undefined;

export interface FakeRegistry {
  readonly url: string;
  /** `GET /path?query`, as they came. */
  readonly requests: string[];
  readonly headers: IncomingMessage['headers'][];
  misbehave(how: Misbehaviour): void;
  /** Version that the alias `champion` leads to. */
  champion: string;
  close(): Promise<void>;
}

export interface FakeVersion {
  readonly files: Readonly<Record<string, Buffer>>;
  readonly tags?: Readonly<Record<string, string>>;
  /** By default below the server's own artifacts. */
  readonly uri?: string;
  readonly status?: string;
}

const API = '/api/2.0/mlflow';
const PROXY = '/api/2.0/mlflow-artifacts/artifacts';

/** The files of a bundle in a folder. */
export async function filesOf(
  folder: string,
  names = ['model.yaml', 'model.onnx', 'golden.csv'],
): Promise<Record<string, Buffer>> {
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(path.join(folder, name))] as const)),
  );
}

/** As docs/model-registry.md says: of the lines that `sha256sum` prints. */
export function digestOfFiles(files: Readonly<Record<string, Buffer>>): string {
  const lines = Object.keys(files)
    .sort()
    .map(
      (name) =>
        `${createHash('sha256')
          .update(files[name] ?? '')
          .digest('hex')}  ${name}\n`,
    );
  return createHash('sha256').update(lines.join('')).digest('hex');
}

/** A registry with versions of the model `linear`, by number. */
export async function fakeRegistry(versions: Readonly<Record<string, FakeVersion>>): Promise<FakeRegistry> {
  let misbehaviour: Misbehaviour = () => false;
  const requests: string[] = [];
  const headers: IncomingMessage['headers'][] = [];
  const registry = { champion: Object.keys(versions)[0] ?? '' };
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://registry');
    requests.push(`${request.method} ${request.url}`);
    headers.push(request.headers);
    request.resume();
    if (misbehaviour({ method: request.method ?? '', url }, response) === true) return;
    answer(versions, registry.champion, url, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = async () => {
    server.closeAllConnections();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  onTestFinished(close);
  return Object.assign(registry, {
    ...{ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, headers, close },
    misbehave: (how: Misbehaviour) => (misbehaviour = how),
  });
}

function answer(
  versions: Readonly<Record<string, FakeVersion>>,
  champion: string,
  url: URL,
  response: ServerResponse,
): ServerResponse {
  const wanted = url.searchParams.get('version') ?? (url.searchParams.get('alias') === 'champion' ? champion : '');
  const version = versions[wanted];
  const known = url.searchParams.get('name') === 'linear';
  const { pathname } = url;
  if (pathname === `${API}/registered-models/get`)
    return known ? json(response, { registered_model: {} }) : missing(response, 'Registered Model');
  if (pathname === `${API}/model-versions/get` || pathname === `${API}/registered-models/alias`) {
    if (!known || version === undefined) return missing(response, 'Model Version');
    const tags = Object.entries(version.tags ?? {}).map(([key, value]) => ({ key, value }));
    return json(response, {
      model_version: { name: 'linear', version: wanted, status: version.status ?? 'READY', tags, creation_timestamp: 1 },
    });
  }
  if (pathname === `${API}/model-versions/get-download-uri`)
    return json(response, { artifact_uri: version?.uri ?? `mlflow-artifacts:/0/${wanted}/artifacts` });
  if (pathname === PROXY) {
    const files = versions[/^0\/(\w+)\/artifacts$/.exec(url.searchParams.get('path') ?? '')?.[1] ?? '']?.files ?? {};
    return json(response, {
      files: Object.entries(files).map(([name, bytes]) => ({ path: name, is_dir: false, file_size: bytes.length })),
    });
  }
  const [, number = '', name = ''] = /\/artifacts\/0\/(\w+)\/artifacts\/(.+)$/.exec(pathname) ?? [];
  const bytes = versions[number]?.files[name];
  if (bytes === undefined) return missing(response, 'Artifact');
  return response.end(bytes);
}

export function json(response: ServerResponse, value: unknown, status = 200): ServerResponse {
  return response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function missing(response: ServerResponse, what: string): ServerResponse {
  return json(response, { error_code: 'RESOURCE_DOES_NOT_EXIST', message: `${what} not found` }, 404);
}
