/** Ids are spread over this many maps per horizon, so that forgetting them means dropping a map. */
const MAPS_PER_HORIZON = 4;

/** Approximate bytes of an id without its characters: a string header and a map entry. */
const ID_BYTES = 72;

/** The latest time at which each id was seen, for those within the horizon. */
export class RecentIds {
  readonly #span: number;
  readonly #horizonMs: number;
  /** Newest first; times in a map are relative to its start, so that they are small integers. */
  #maps: { readonly start: number; readonly times: Map<string, number>; bytes: number }[] = [];

  constructor(horizonMs: number) {
    this.#horizonMs = horizonMs;
    this.#span = Math.ceil((horizonMs + 1) / MAPS_PER_HORIZON);
  }

  get bytes(): number {
    return this.#maps.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /**
   * Remembers an id.
   *
   * @param maximum greatest time so far, this one included
   * @returns whether it was seen before, within the horizon
   */
  see(id: string, time: number, maximum: number): boolean {
    const oldest = maximum - this.#horizonMs;
    this.#forget(oldest);
    const earlier = this.#latest(id);
    if (time >= oldest && (earlier === undefined || time > earlier)) this.#put(id, time);
    return earlier !== undefined && earlier >= oldest;
  }

  #latest(id: string): number | undefined {
    for (const { start, times } of this.#maps) {
      const found = times.get(id);
      if (found !== undefined) return start + found;
    }
    return undefined;
  }

  #put(id: string, time: number): void {
    const start = Math.floor(time / this.#span) * this.#span;
    let at = 0;
    while (at < this.#maps.length && (this.#maps[at]?.start ?? 0) > start) at += 1;
    let map = this.#maps[at];
    if (map === undefined || map.start !== start) {
      map = { start, times: new Map(), bytes: 0 };
      this.#maps.splice(at, 0, map);
    }
    const before = map.times.size;
    map.times.set(id, time - start);
    if (map.times.size > before) map.bytes += ID_BYTES + id.length;
  }

  #forget(oldest: number): void {
    for (let last = this.#maps.at(-1); last !== undefined && last.start + this.#span <= oldest; last = this.#maps.at(-1)) {
      this.#maps.pop();
    }
  }
}
