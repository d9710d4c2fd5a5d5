import { readFile } from 'node:fs/promises';

/**
 * Identifies one boot of the machine (https://man7.org/linux/man-pages/man5/proc_sys_kernel.5.html); undefined if the system
 * has no such id. Files that were written but not synced survive the end of their process, but not a loss of power.
 */
export async function bootId(): Promise<string | undefined> {
  return await readFile('/proc/sys/kernel/random/boot_id', 'utf8').then(
    (text) => text.trim(),
    () => undefined,
  );
}
