import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, realpath, rename } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../../scripts/root.ts';
import type { Buildah } from './buildah.ts';

const run = promisify(execFile);

const SUITE = 'bookworm';

// Without the first part, buildah would ask a registry.
const [DEBIAN, NODE] = ['localhost/debian', 'localhost/node'];

/** As `debian:bookworm-slim` is made: what is essential and apt; of the documents only who holds the rights. */
const MADE = [
  '--variant=minbase',
  '--quiet',
  // Else apt takes a package that merges /usr by means of all of Perl.
  '--include=usr-is-merged',
  '--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr',
  ...['doc', 'info', 'linda', 'lintian', 'locale', 'man'].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`),
  '--dpkgopt=path-include=/usr/share/doc/*/copyright',
];

/** Makes the two images that the Dockerfile starts from, where no registry of images can be asked. @returns their names */
export async function makeBases(buildah: Buildah): Promise<{ readonly node: string; readonly debian: string }> {
  const system = await buildah('from', 'scratch');
  await buildah('add', '--quiet', system, await debianArchive(), '/');
  await buildah('config', '--cmd', '["bash"]', system);
  await buildah('commit', '--quiet', '--rm', system, DEBIAN);

  const [binary, npm] = [await realpath(process.execPath), await npmFolder()];
  const node = await buildah('from', '--pull-never', DEBIAN);
  await buildah('copy', '--quiet', node, binary, '/usr/local/bin/node');
  await buildah('copy', '--quiet', node, npm, '/usr/local/lib/node_modules/npm');
  await buildah('copy', '--quiet', node, nodeLicence(binary), '/usr/local/LICENSE');
  await buildah('run', node, '--', 'ln', '-s', '../lib/node_modules/npm/bin/npm-cli.js', '/usr/local/bin/npm');
  await buildah('commit', '--quiet', '--rm', node, NODE);
  return { node: NODE, debian: DEBIAN };
}

/** Made once, since it takes a minute. @returns path of a tar file */
async function debianArchive(): Promise<string> {
  const key = createHash('sha256')
    .update(JSON.stringify([SUITE, MADE]))
    .digest('hex')
    .slice(0, 12);
  const folder = path.join(ROOT, '.tools', `image-${key}`);
  const archive = path.join(folder, 'debian.tar');
  if (existsSync(archive)) return archive;
  await mkdir(folder, { recursive: true });
  // Half an archive has another name.
  const part = path.join(folder, `part-${process.pid}.tar`);
  await run('mmdebstrap', [...MADE, SUITE, part]);
  await rename(part, archive);
  return archive;
}

async function npmFolder(): Promise<string> {
  const { stdout } = await run('npm', ['root', '--global']);
  return await realpath(path.join(stdout.trim(), 'npm'));
}

/** Node's own archives have it beside `bin`; packages of distributions elsewhere. */
function nodeLicence(binary: string): string {
  const places = [path.resolve(binary, '../../LICENSE'), '/usr/share/doc/nodejs/copyright'];
  const found = places.find((file) => existsSync(file));
  if (found === undefined) throw new Error(`Node's licence is in none of ${places.join(', ')}`);
  return found;
}
