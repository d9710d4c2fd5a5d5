import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { ScoreBatchError, systemCode } from '../errors.ts';
import { replaceFile } from '../replaced-file.ts';
import { bundleDigest } from './bundle-digest.ts';
import { writing } from './new-file.ts';

/** Downloaded bundles, each in a folder named by its digest and never changed. */
export interface Cache {
  readonly root: string;
}

const HINT = 'set SCORE_BATCH_MODEL_CACHE to a folder that this user can write to';

/** Remains of killed processes are removed after this time. */
const ABANDONED_MS = 86_400_000;

/** The folder in SCORE_BATCH_MODEL_CACHE, otherwise `score-batch/models` in the user's cache folder. */
export function cacheOf({ SCORE_BATCH_MODEL_CACHE: own, XDG_CACHE_HOME: caches }: NodeJS.ProcessEnv, folder: string): Cache {
  if (own) return { root: path.resolve(folder, own) };
  // The XDG specification ignores relative paths.
  const base = caches && path.isAbsolute(caches) ? caches : path.join(homedir(), '.cache');
  return { root: path.join(base, 'score-batch', 'models') };
}

/** The folder of a cached bundle; undefined if it does not exist, or its files no longer match the digest. */
export async function cached({ root }: Cache, digest: string): Promise<string | undefined> {
  const folder = path.join(root, digest);
  try {
    return (await bundleDigest(folder)).digest === digest ? folder : undefined;
  } catch (error) {
    if (error instanceof ScoreBatchError) return undefined;
    throw error;
  }
}

/**
 * Fills a temporary folder in the cache and renames it when complete, so that two processes do not interfere.
 *
 * @param fill writes the files @returns their digest
 * @throws ScoreBatchError `permission` if the cache cannot be written, `unavailable` if its disk is full
 */
export async function keep(
  cache: Cache,
  fill: (folder: string) => Promise<string>,
): Promise<{ readonly folder: string; readonly digest: string }> {
  const { root } = cache;
  const making = path.join(root, `.${randomBytes(6).toString('hex')}.partial`);
  try {
    await writing(root, async () => {
      await mkdir(making, { recursive: true });
      await removeAbandoned(root);
    });
    const digest = await fill(making);
    const folder = path.join(root, digest);
    await writing(root, () => place(cache, { making, folder, digest }));
    return { folder, digest };
  } finally {
    await rm(making, { recursive: true, force: true }).catch(() => undefined);
  }
}

async function place(
  cache: Cache,
  { making, folder, digest }: { readonly making: string; readonly folder: string; readonly digest: string },
): Promise<void> {
  try {
    await rename(making, folder);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(systemCode(error) ?? '')) throw error;
    // Another process was first, or the folder was tampered with.
    if ((await cached(cache, digest)) !== undefined) return;
    const damaged = `${making.replace(/\.partial$/, '')}.damaged.partial`;
    await rename(folder, damaged);
    await rename(making, folder);
    await rm(damaged, { recursive: true, force: true }).catch(() => undefined);
  }
}

/**
 * The digest that a registered version last had, which saves downloading it to find out. @param version everything that
 * identifies it
 */
export async function knownDigest({ root }: Cache, version: readonly unknown[]): Promise<string | undefined> {
  const text = await readFile(indexFile(root, version), 'utf8').catch(() => '');
  return /^[0-9a-f]{64}$/.exec(text.trim())?.[0];
}

export async function rememberDigest({ root }: Cache, version: readonly unknown[], digest: string): Promise<void> {
  await replaceFile(indexFile(root, version), `${digest}\n`, HINT);
}

function indexFile(root: string, version: readonly unknown[]): string {
  return path.join(root, 'versions', createHash('sha256').update(JSON.stringify(version)).digest('hex'));
}

async function removeAbandoned(root: string): Promise<void> {
  for (const name of await readdir(root)) {
    if (!name.endsWith('.partial')) continue;
    const found = await stat(path.join(root, name)).catch(() => undefined);
    if (found !== undefined && Date.now() - found.mtimeMs > ABANDONED_MS)
      // Files of another user that cannot be removed are no problem.
      await rm(path.join(root, name), { recursive: true, force: true }).catch(() => undefined);
  }
}
