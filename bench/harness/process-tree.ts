import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

// Finds every process that a command started, including those that left its tree: Ray's and Spark's daemons outlive the process
// that started them and get another parent. All inherit the environment, so a variable with a unique value marks them. A
// process whose title overwrote its environment (Ray's workers) is the child of a marked one.

/** A process of a case. */
interface Member {
  alive: boolean;
  /** Seconds, as far as seen by sampling. */
  cpu: number;
  /** Bytes. */
  resident: number;
  name: string;
}

/** What the kernel reports about a process: seconds and bytes. */
interface Stat {
  readonly name: string;
  readonly parent: number;
  readonly cpu: number;
  readonly resident: number;
}

export interface TreeResult {
  /** Maximum bytes of all processes together, measured as `measure` says. */
  readonly peak: number;
  readonly measure: 'PSS' | 'RSS';
  /** Seconds, as far as seen by sampling. */
  readonly cpu: number;
  readonly processes: number;
  /** The processes that existed at the peak. */
  readonly atPeak: readonly Pick<Member, 'name' | 'resident'>[];
}

export interface Tree {
  /** Must be called often. */
  sample(): void;
  /** Ids of the processes that still exist. */
  alive(): number[];
  result(): TreeResult;
}

const MARK = 'SCORE_BATCH_BENCH_CASE';
const TICKS_PER_SECOND = systemNumber('CLK_TCK');
const PAGE_BYTES = systemNumber('PAGESIZE');

/** Environment variable that marks the processes of a case. */
export function markOf(id: string): Record<string, string> {
  return { [MARK]: id };
}

/** Watches the processes marked with an id. */
export function watchTree(id: string): Tree {
  const mark = `${MARK}=${id}`;
  const strangers = new Set<number>();
  const members = new Map<number, Member>();
  let peak = 0;
  let unreadable = false;
  let most: TreeResult['atPeak'] = [];

  function discover(): void {
    for (const name of readdirSync('/proc')) {
      const pid = Number(name);
      if (!(pid > 0) || strangers.has(pid) || members.has(pid)) continue;
      const stat = readStat(pid);
      if (stat === undefined) continue;
      if (members.get(stat.parent)?.alive || environmentOf(pid).includes(mark)) members.set(pid, { alive: true, ...stat });
      else strangers.add(pid);
    }
  }

  /** @returns bytes by the cheap measure, which counts shared pages once per process */
  function refresh(): number {
    let resident = 0;
    for (const [pid, member] of members) {
      if (!member.alive) continue;
      const stat = readStat(pid);
      if (stat === undefined) member.alive = false;
      else {
        member.cpu = stat.cpu;
        member.resident = stat.resident;
        member.name = stat.name;
        resident += stat.resident;
      }
    }
    return resident;
  }

  function proportional(): number {
    let sum = 0;
    for (const [pid, { alive, resident }] of members) {
      if (!alive) continue;
      const own = proportionalBytes(pid);
      if (own === undefined) unreadable = true;
      sum += own ?? resident;
    }
    return sum;
  }

  return {
    sample() {
      discover();
      const resident = refresh();
      // For proportional sizes, the kernel walks all pages. They cannot exceed resident sizes.
      if (resident <= peak) return;
      const bytes = proportional();
      if (bytes <= peak) return;
      peak = bytes;
      most = [...members.values()].filter(({ alive }) => alive).map(({ name, resident: own }) => ({ name, resident: own }));
    },
    alive() {
      discover();
      refresh();
      return [...members].filter(([, { alive }]) => alive).map(([pid]) => pid);
    },
    result() {
      const cpu = [...members.values()].reduce((sum, member) => sum + member.cpu, 0);
      return { peak, measure: unreadable ? 'RSS' : 'PSS', cpu, processes: members.size, atPeak: most };
    },
  };
}

/** User and system seconds of all ended children of this process, including all that they waited for. */
export function childrenCpu(): number {
  const fields = fieldsOf(readFileSync('/proc/self/stat', 'utf8'));
  return (Number(fields[13]) + Number(fields[14])) / TICKS_PER_SECOND;
}

function readStat(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = fieldsOf(text);
    if (fields[0] === 'Z') return undefined;
    return {
      name: text.slice(text.indexOf('(') + 1, text.lastIndexOf(')')),
      parent: Number(fields[1]),
      cpu: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
      resident: Number(fields[21]) * PAGE_BYTES,
    };
  } catch {
    return undefined;
  }
}

/** The fields of /proc/PID/stat from the third on. The second, a name in brackets, may contain anything. */
function fieldsOf(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

/** Undefined if the kernel does not report it. */
function proportionalBytes(pid: number): number | undefined {
  try {
    return Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]) * 1024;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ESRCH' || code === 'ENOENT' ? 0 : undefined;
  }
}

function systemNumber(name: string): number {
  return Number(execFileSync('getconf', [name], { encoding: 'utf8' }));
}
