/** The heap keeps at most twice the present values, plus this many. */
const SPARE = 64;

/** The first of many numbers in a given order, with adding and removing: a heap with lazy deletion. */
export class CountedExtreme {
  readonly #isBefore: (a: number, b: number) => boolean;
  /** How often each number in the heap is present. */
  readonly #counts = new Map<number, number>();
  #heap: number[] = [];
  #present = 0;

  constructor(isBefore: (a: number, b: number) => boolean) {
    this.#isBefore = isBefore;
  }

  clear(): void {
    this.#counts.clear();
    this.#heap = [];
    this.#present = 0;
  }

  add(value: number): void {
    const count = this.#counts.get(value);
    this.#counts.set(value, (count ?? 0) + 1);
    if (!count) this.#present += 1;
    if (count === undefined) this.#push(value);
  }

  remove(value: number): void {
    const count = (this.#counts.get(value) ?? 1) - 1;
    this.#counts.set(value, count);
    if (count > 0) return;
    this.#present -= 1;
    if (this.#heap.length > 2 * this.#present + SPARE) this.#sweep();
  }

  /** NaN for none. */
  first(): number {
    for (let top = this.#heap[0]; top !== undefined; top = this.#heap[0]) {
      if (this.#counts.get(top)) return top;
      this.#counts.delete(top);
      this.#pop();
    }
    return Number.NaN;
  }

  #sweep(): void {
    const present = this.#heap.filter((value) => this.#counts.get(value));
    for (const value of this.#heap) if (!this.#counts.get(value)) this.#counts.delete(value);
    this.#heap = [];
    for (const value of present) this.#push(value);
  }

  #push(value: number): void {
    let at = this.#heap.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = this.#heap[parent] as number;
      if (!this.#isBefore(value, above)) break;
      this.#heap[at] = above;
      at = parent;
    }
    this.#heap[at] = value;
  }

  #pop(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    const size = this.#heap.length;
    let at = 0;
    for (let child = 1; child < size; child = 2 * at + 1) {
      const right = child + 1;
      if (right < size && this.#isBefore(this.#heap[right] as number, this.#heap[child] as number)) child = right;
      if (!this.#isBefore(this.#heap[child] as number, last)) break;
      this.#heap[at] = this.#heap[child] as number;
      at = child;
    }
    this.#heap[at] = last;
  }
}
