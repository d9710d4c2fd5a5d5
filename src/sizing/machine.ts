import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import path from 'node:path';

/** What this process may use: the container's limits if it has any, otherwise the whole machine. */
export interface Machine {
  /** Processors, at least one. */
  readonly cores: number;
  /** Bytes of memory. */
  readonly memory: number;
}

/**
 * Reads cgroup limits, since Node 20 respects CPU affinity but not a container's CPU quota, and `os.totalmem()` ignores memory
 * limits.
 *
 * @param root root of `/proc` and `/sys`; tests use their own files
 */
export function readMachine(root = '/'): Machine {
  const limits = [...limitsOf(root)];
  const cores = Math.min(availableParallelism(), ...limits.map((limit) => limit.cores));
  const constrained = process.constrainedMemory?.() || Number.POSITIVE_INFINITY;
  const memory = Math.min(totalmem(), constrained, ...limits.map((limit) => limit.memory));
  // Rounded down, since with a quota of 3.5 a fourth worker would be throttled; but there is always one worker.
  return { cores: Math.max(1, Math.floor(cores)), memory };
}

/** Limits of the process's cgroup and its ancestors: https://docs.kernel.org/admin-guide/cgroup-v2.html, and version 1. */
function* limitsOf(root: string): Generator<Machine> {
  const groups = readText(path.join(root, 'proc/self/cgroup')) ?? '';
  for (const [, controllers = '', group = ''] of groups.matchAll(/^\d+:([^:\n]*):(.*)$/gm)) {
    const mount = path.join(root, 'sys/fs/cgroup', controllers);
    // In a container the path may be the host's, while the cgroup is mounted as the root; so the mount itself is read too.
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

/** A missing file, `max` or a number that is not positive means no limit. */
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
