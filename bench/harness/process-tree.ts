import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

// Every process that a command started, also those that left its tree: Ray's and Spark's daemons outlive the process that started
// them and get another parent. All inherit the environment, so one variable with a value of its own marks them; a process whose
// own title overwrote its environment (Ray's workers) is the child of one that is marked.

const MARK = 'SCORE_BATCH_BENCH_CASE';
const TICKS_PER_SECOND = systemNumber('CLK_TCK');
const PAGE_BYTES = systemNumber('PAGESIZE');

/** The environment by which the processes of a case are known. */
export function markOf(id) {
  return { [MARK]: id };
}

/** Looks at the processes marked with an id; call `sample` often. */
export function watchTree(id) {
  const mark = `${MARK}=${id}`;
  const strangers = new Set();
  const members = new Map();
  let peak = 0;
  let unreadable = false;
  let most = [];

  function discover() {
    for (const name of readdirSync('/proc')) {
      const pid = Number(name);
      if (!(pid > 0) || strangers.has(pid) || members.has(pid)) continue;
      const stat = readStat(pid);
      if (stat === undefined) continue;
      if (members.get(stat.parent)?.alive || environmentOf(pid).includes(mark)) members.set(pid, { alive: true, cpu: 0 });
      else strangers.add(pid);
    }
  }

  /** @returns bytes by the cheap measure, which counts what processes share once for each of them */
  function refresh() {
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

  function proportional() {
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
    /** Processes that are still there. */
    alive() {
      discover();
      refresh();
      return [...members].filter(([, { alive }]) => alive).map(([pid]) => pid);
    },
    /** Peak bytes and by which measure, CPU seconds as far as they were seen, and the processes there at the peak. */
    result() {
      const cpu = [...members.values()].reduce((sum, member) => sum + member.cpu, 0);
      return { peak, measure: unreadable ? 'RSS' : 'PSS', cpu, processes: members.size, atPeak: most };
    },
  };
}

/** User and system seconds of all children of this process that have ended, with all that they waited for themselves. */
export function childrenCpu() {
  const fields = fieldsOf(readFileSync('/proc/self/stat', 'utf8'));
  return (Number(fields[13]) + Number(fields[14])) / TICKS_PER_SECOND;
}

function readStat(pid) {
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
function fieldsOf(stat) {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function environmentOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

function proportionalBytes(pid) {
  try {
    return Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]) * 1024;
  } catch (error) {
    return error.code === 'ESRCH' || error.code === 'ENOENT' ? 0 : undefined;
  }
}

function systemNumber(name) {
  return Number(execFileSync('getconf', [name], { encoding: 'utf8' }));
}
