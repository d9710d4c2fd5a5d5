import { readFile } from 'node:fs/promises';

/**
 * What tells one start of the machine from another (https://man7.org/linux/man-pages/man5/proc_sys_kernel.5.html); undefined where the system does not say. Files that were
 * written and not synced are whole while the machine runs, however their process ended; after a loss of power they may hold anything.
 */
export async function bootId(): Promise<string | undefined> {
  return await readFile('/proc/sys/kernel/random/boot_id', 'utf8').then(
    (text) => text.trim(),
    () => undefined,
  );
}
