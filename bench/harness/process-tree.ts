import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

// Every process that a command started, also those that left its tree: Ray's and Spark's daemons outlive the process that started
// them and get another parent. All inherit the environment, so one variable with a value of its own marks them; a process whose
// own title overwrote its environment (Ray's workers) is the child of one that is marked.

/** A process of a case. */
interface Member {
  alive: boolean;
  /** Seconds, as far as they were seen. */
  cpu: number;
  /** Bytes. */
  resident: number;
  name: string;
}

/** What the kernel says of a process: seconds and bytes. */
interface Stat {
  readonly name: string;
  readonly parent: number;
  readonly cpu: number;
  readonly resident: number;
}

export interface TreeResult {
  /** Bytes of all processes together, at most, by `measure`. */
  readonly peak: number;
  readonly measure: 'PSS' | 'RSS';
  /** Seconds, as far as they were seen. */
  readonly cpu: number;
  readonly processes: number;
  /** The processes that were there at the peak. */
  readonly atPeak: readonly Pick<Member, 'name' | 'resident'>[];
}

export interface Tree {
  /** To be called often. */
  sample(): void;
  /** Ids of the processes that are still there. */
  alive(): number[];
  result(): TreeResult;
}

const MARK = 'SCORE_BATCH_BENCH_CASE';
const TICKS_PER_SECOND = systemNumber('CLK_TCK');
const PAGE_BYTES = systemNumber('PAGESIZE');

/** The environment by which the processes of a case are known. */
export function markOf(id: string): Record<string, string> {
  return { [MARK]: id };
}

/** Looks at the processes marked with an id. */
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

  /** @returns bytes by the cheap measure, which counts what processes share once for each of them */
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
      // Proportional sizes cost the kernel a walk over all pages, and can be no larger than resident ones.
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

/** User and system seconds of all children of this process that have ended, with all that they waited for themselves. */
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

/** The fields of /proc/PID/stat from the third on: the second, a name in brackets, may have anything in it. */
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

/** Undefined where the kernel does not tell. */
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
