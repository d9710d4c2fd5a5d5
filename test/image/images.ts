import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { inject, onTestFinished } from 'vitest';
import { temporaryFolder } from '../support/project.ts';
import { type Buildah, configOf, openBuildah } from './buildah.ts';
import type { RootFolder } from './container.ts';

/** Undefined where the images could not be built; the last line of the output says why. */
export const images = inject('images');

let opened: Promise<Buildah> | undefined;

function buildah(): Promise<Buildah> {
  if (images === undefined) throw new Error('there are no images');
  opened ??= openBuildah(images.storage);
  return opened;
}

/** The file system of an image, for this test alone. */
export async function rootOf(image: 'command' | 'serve'): Promise<RootFolder> {
  return await mounted(images?.[image] ?? '');
}

/** The image of a project, as deploy/README.md makes it: with these folders of the project copied into it. */
export async function rootWith(image: 'command' | 'serve', project: string, folders: readonly string[]): Promise<RootFolder> {
  const file = path.join(await temporaryFolder(), 'Dockerfile');
  const lines = [`FROM ${images?.[image]}`, ...folders.map((folder) => `COPY ${folder} ${folder}`)];
  await writeFile(file, `${lines.join('\n')}\n`);
  const call = await buildah();
  const id = await call('bud', '--quiet', '--pull-never', '--format=oci', '--file', file, project);
  return await mounted(id.split('\n').at(-1) ?? '');
}

async function mounted(image: string): Promise<RootFolder> {
  const call = await buildah();
  const container = await call('from', '--pull-never', image);
  onTestFinished(async () => void (await call('rm', container)));
  return { folder: await call('mount', container), config: await configOf(call, image) };
}
