import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The `config` of an image, as OCI has it. */
export interface ImageConfig {
  readonly User: string;
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly Cmd?: readonly string[];
  readonly WorkingDir: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly ExposedPorts?: Readonly<Record<string, unknown>>;
}

/** Calls buildah, without a daemon, on the images that are kept in a folder. @throws Error with what it said if it fails */
export interface Buildah {
  (...args: readonly string[]): Promise<string>;
  /** `overlay`, or `vfs`, which copies each layer whole but needs nothing of the kernel. */
  readonly driver: string;
  /** Removes all containers, and so unmounts what is mounted: then the folder can be removed. */
  unmount(): Promise<void>;
}

/** @param folder where the images are; gigabytes */
export async function openBuildah(folder: string): Promise<Buildah> {
  const env = { ...process.env, BUILDAH_ISOLATION: 'chroot', TMPDIR: folder };
  const options = ['--root', path.join(folder, 'root'), '--runroot', path.join(folder, 'run'), '--storage-driver'];
  const overlay = await run('buildah', [...options, 'overlay', 'images'], { env }).then(
    () => true,
    () => false,
  );
  const driver = overlay ? 'overlay' : 'vfs';
  const call = async (...args: readonly string[]): Promise<string> =>
    (await run('buildah', [...options, driver, ...args], { env, maxBuffer: 64 * 1024 * 1024 })).stdout.trim();
  const unmount = async (): Promise<void> => {
    await call('rm', '--all');
    // Left there by the driver itself.
    await run('umount', [path.join(folder, 'root', 'overlay')]).catch(() => undefined);
  };
  return Object.assign(call, { driver, unmount });
}

export async function configOf(buildah: Buildah, image: string): Promise<ImageConfig> {
  const { OCIv1 } = JSON.parse(await buildah('inspect', '--type', 'image', image)) as { OCIv1: { config: ImageConfig } };
  return OCIv1.config;
}
