/** A clock that advances only when all work waits: hours take milliseconds, and the order is reproducible. */
export interface VirtualClock {
  /** Virtual milliseconds since the start. */
  readonly now: number;
  sleep(duration: number): Promise<void>;
  /** Advances until nothing waits any more. */
  run(): Promise<void>;
}

interface Alarm {
  readonly at: number;
  /** If two alarms have the same time, the one that was set first goes first. */
  readonly order: number;
  ring(): void;
}

export function virtualClock(): VirtualClock {
  const alarms: Alarm[] = [];
  let now = 0;
  let order = 0;
  return {
    get now() {
      return now;
    },
    sleep: (duration) =>
      new Promise((ring) => {
        push(alarms, { at: now + duration, order, ring });
        order += 1;
      }),
    async run() {
      await settled();
      for (let next = pop(alarms); next !== undefined; next = pop(alarms)) {
        now = next.at;
        next.ring();
        await settled();
      }
    },
  };
}

/** Waits until every promise that can settle has settled. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function before(a: Alarm, b: Alarm): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

// A binary heap: the first alarm is at 0, and those after one at i are at 2i + 1 and 2i + 2.

function push(heap: Alarm[], alarm: Alarm): void {
  let place = heap.push(alarm) - 1;
  while (place > 0) {
    const parent = (place - 1) >> 1;
    if (!before(alarm, heap[parent] as Alarm)) break;
    heap[place] = heap[parent] as Alarm;
    place = parent;
  }
  heap[place] = alarm;
}

function pop(heap: Alarm[]): Alarm | undefined {
  const [first] = heap;
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return first;
  let place = 0;
  for (;;) {
    const left = 2 * place + 1;
    if (left >= heap.length) break;
    const right = left + 1;
    const child = right < heap.length && before(heap[right] as Alarm, heap[left] as Alarm) ? right : left;
    if (!before(heap[child] as Alarm, last)) break;
    heap[place] = heap[child] as Alarm;
    place = child;
  }
  heap[place] = last;
  return first;
}
