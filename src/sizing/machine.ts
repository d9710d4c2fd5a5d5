import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import path from 'node:path';

/** What this process may use: a container's limits where it has some, else the machine. */
export interface Machine {
  /** Processors, at least one. */
  readonly cores: number;
  /** Bytes of memory. */
  readonly memory: number;
}

/**
 * Node 20 knows affinity, but no quota of a container's processors, and `os.totalmem()` no limit of its memory.
 *
 * @param root where the kernel shows what it knows of the process's control group; tests have files of their own
 */
export function readMachine(root = '/'): Machine {
  const limits = [...limitsOf(root)];
  const cores = Math.min(availableParallelism(), ...limits.map((limit) => limit.cores));
  const constrained = process.constrainedMemory?.() || Number.POSITIVE_INFINITY;
  const memory = Math.min(totalmem(), constrained, ...limits.map((limit) => limit.memory));
  // A quota of less than a processor is still one worker's; of 3.5, a fourth worker would be held back again and again.
  return { cores: Math.max(1, Math.floor(cores)), memory };
}

/** The limits of the process's group and of all above it: https://docs.kernel.org/admin-guide/cgroup-v2.html, and its version 1. */
function* limitsOf(root: string): Generator<Machine> {
  const groups = readText(path.join(root, 'proc/self/cgroup')) ?? '';
  for (const [, controllers = '', group = ''] of groups.matchAll(/^\d+:([^:\n]*):(.*)$/gm)) {
    const mount = path.join(root, 'sys/fs/cgroup', controllers);
    // In a container the path is that of the host, and what it leads to is mounted as the root.
    for (let folder = path.join(mount, group); folder.startsWith(mount); folder = path.dirname(folder)) {
      yield controllers === '' ? unified(folder) : legacy(folder);
      if (folder === mount) break;
    }
    yield controllers === '' ? unified(mount) : legacy(mount);
  }
}

function unified(folder: string): Machine {
  const [quota, period] = (readText(path.join(folder, 'cpu.max')) ?? 'max').trim().split(' ');
  return { cores: limit(quota) / Number(period ?? 1), memory: limit(readText(path.join(folder, 'memory.max'))) };
}

function legacy(folder: string): Machine {
  const quota = limit(readText(path.join(folder, 'cpu.cfs_quota_us')));
  const period = limit(readText(path.join(folder, 'cpu.cfs_period_us')));
  return {
    cores: Number.isFinite(period) ? quota / period : quota,
    memory: limit(readText(path.join(folder, 'memory.limit_in_bytes'))),
  };
}

/** No limit is no file, `max`, or a number that is not positive. */
function limit(text: string | undefined): number {
  const value = Number(text?.trim());
  return value > 0 ? value : Number.POSITIVE_INFINITY;
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
