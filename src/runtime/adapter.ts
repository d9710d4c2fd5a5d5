import { readdirSync, readlinkSync } from 'node:fs';
import path from 'node:path';

/** Files by which drivers reach a GPU: of the kernel's graphics, of NVIDIA, of AMD, and of Windows under WSL. */
const GPU = /^\/dev\/(dri\/|nvidia|kfd$|dxg$)/;

/** Descriptors of this process, as links to what is open. */
const DESCRIPTORS = '/proc/self/fd';

/**
 * Whether this process can be at a GPU at all. WebGPU does not say which adapter it took, and one that computes on the
 * processor (SwiftShader, Mesa's llvmpipe) gives the same answers; but no driver reaches a GPU without its device file, and
 * WebGPU takes a GPU before a software adapter. To be asked while a session is open.
 *
 * @returns true also where it cannot be told: on systems without /proc, and where something else in the process opened the file
 */
export function holdsGpu(descriptors = DESCRIPTORS): boolean {
  if (process.platform !== 'linux') return true;
  try {
    return readdirSync(descriptors).some((name) => GPU.test(target(path.join(descriptors, name))));
  } catch {
    return true;
  }
}

/** Files may be closed between the list and the look. */
function target(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return '';
  }
}
