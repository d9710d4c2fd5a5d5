import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../../scripts/root.ts';
import { makeBases } from './base.ts';
import type { Buildah } from './buildah.ts';

const run = promisify(execFile);

const DOCKERFILE = path.join(ROOT, 'deploy/Dockerfile');
const [COMMAND, SERVE] = ['localhost/score-batch', 'localhost/score-batch-serve'];

/** What the build arguments say in these tests. */
export const LABELLED = {
  VERSION: '0.2.0',
  REVISION: '0123456789abcdef0123456789abcdef01234567',
  CREATED: '2026-01-02T03:04:05Z',
  SOURCE: 'https://example.com/score-batch',
};

export interface Images {
  readonly command: string;
  readonly serve: string;
}

/** The images that an earlier call has built. */
export async function builtImages(buildah: Buildah): Promise<Images | undefined> {
  const built = await buildah('inspect', '--type', 'image', SERVE).catch(() => undefined);
  return built === undefined ? undefined : { command: COMMAND, serve: SERVE };
}

/**
 * Builds the images of deploy/Dockerfile.
 *
 * @param folder for what only the build needs
 * @returns their names
 */
export async function buildImages(buildah: Buildah, folder: string): Promise<Images> {
  const { node, debian } = await makeBases(buildah);
  const args = Object.entries({ NODE: node, BASE: debian, ...LABELLED }).map(([name, value]) => `--build-arg=${name}=${value}`);
  const volumes = await npmVolumes(folder);
  const common = ['bud', '--quiet', '--format=oci', '--pull-never', ...args, ...volumes];
  await buildah(...common, '--file', DOCKERFILE, '--ignorefile', `${DOCKERFILE}.dockerignore`, '--tag', COMMAND, ROOT);

  // What `--target serve` adds to the same stage, without building that stage again.
  const [, added = ''] = /^FROM runtime AS serve\n([\s\S]*?)\nFROM /m.exec(await readFile(DOCKERFILE, 'utf8')) ?? [];
  const file = path.join(folder, 'serve.Dockerfile');
  await writeFile(file, `FROM ${COMMAND}\n${added}`);
  await buildah('bud', '--quiet', '--format=oci', '--pull-never', '--file', file, '--tag', SERVE, folder);
  return { command: COMMAND, serve: SERVE };
}

/** npm is set up in the build as it is on this machine, from outside: nothing of that is in the image. */
async function npmVolumes(folder: string): Promise<string[]> {
  const of = async (key: string) => (await run('npm', ['config', 'get', key])).stdout.trim();
  const [registry, cafile, cache] = [await of('registry'), await of('cafile'), await of('cache')];
  const settings = [`registry=${registry}`];
  const volumes = [`--volume=${cache}:/root/.npm`];
  if (existsSync(cafile)) {
    settings.push('cafile=/run/registry-ca.crt');
    volumes.push(`--volume=${cafile}:/run/registry-ca.crt:ro`);
  }
  const file = path.join(folder, 'npmrc');
  await writeFile(file, `${settings.join('\n')}\n`);
  return [...volumes, `--volume=${file}:/usr/local/etc/npmrc:ro`];
}
