import { readdirSync, readlinkSync } from 'node:fs';
import path from 'node:path';

/** Device files through which drivers reach a GPU: kernel graphics, NVIDIA, AMD, and WSL. */
const GPU = /^\/dev\/(dri\/|nvidia|kfd$|dxg$)/;

/** The open file descriptors of this process, as links to their targets. */
const DESCRIPTORS = '/proc/self/fd';

/**
 * Whether this process may be using a GPU. Call it while a session is open. WebGPU does not report which adapter it picked, and
 * a software adapter (SwiftShader, Mesa's llvmpipe) gives the same answers. But no driver reaches a GPU without its device
 * file, and WebGPU prefers a GPU to a software adapter.
 *
 * @returns true also if it cannot tell: on systems without /proc, and if other code in the process opened the device file
 */
export function holdsGpu(descriptors = DESCRIPTORS): boolean {
  if (process.platform !== 'linux') return true;
  try {
    return readdirSync(descriptors).some((name) => GPU.test(target(path.join(descriptors, name))));
  } catch {
    return true;
  }
}

/** A file may close after it was listed. */
function target(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return '';
  }
}
