import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';
import { buildImages, builtImages } from './build.ts';
import { openBuildah } from './buildah.ts';
import { partsOf } from './parts.ts';

const run = promisify(execFile);

/** The images of deploy/Dockerfile, by their names in the storage of buildah. */
interface BuiltImages {
  readonly storage: string;
  readonly command: string;
  readonly serve: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    /** Undefined where the tools to build them are missing, which the end of the output says: skip what needs them. */
    images: BuiltImages | undefined;
  }
}

const TOOLS = ['buildah', 'mmdebstrap', 'bwrap', 'setpriv'];

/**
 * Builds the images before the tests, and removes them after; SCORE_BATCH_TEST_IMAGES names a folder that keeps them, for work on the
 * tests. Without the tools nothing is tested; with CI=true that is an error.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const missing = await missingTools();
  if (missing.length > 0) {
    const reason = `${missing.join(', ')} not found: apt-get install --no-install-recommends buildah mmdebstrap bubblewrap`;
    if (process.env.CI === 'true') throw new Error(reason);
    project.provide('images', undefined);
    return async () => void process.stderr.write(`The tests of the image were NOT run: ${reason}\n`);
  }
  const kept = process.env.SCORE_BATCH_TEST_IMAGES;
  const folder = kept ?? (await mkdtemp(path.join(tmpdir(), 'score-batch-image-')));
  const buildah = await openBuildah(folder);
  const remove = async (): Promise<void> => {
    await buildah.unmount();
    if (kept === undefined) await rm(folder, { recursive: true, force: true });
  };
  try {
    const began = performance.now();
    const images = (await builtImages(buildah)) ?? (await buildImages(buildah, folder));
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    process.stdout.write(
      `Images after ${seconds} s (storage driver ${buildah.driver}):\n${await partsOf(buildah, images.command)}`,
    );
    project.provide('images', { storage: folder, ...images });
  } catch (error) {
    await remove();
    throw error;
  }
  return remove;
}

async function missingTools(): Promise<string[]> {
  const found = await Promise.allSettled(TOOLS.map((tool) => run(tool, ['--version'])));
  return TOOLS.filter((_, i) => found[i]?.status === 'rejected');
}
