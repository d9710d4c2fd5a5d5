/** Ids are kept in maps of this share of the horizon each, so that forgetting them is dropping a map. */
const MAPS_PER_HORIZON = 4;

/** About what an id takes beside its characters: its string's head, an entry of a map. */
const ID_BYTES = 72;

/** The greatest time at which each id was seen, of those that are not older than the horizon. */
export class RecentIds {
  readonly #span: number;
  readonly #horizonMs: number;
  /** The newest first; the times in a map count from its start, so that they are small integers. */
  #maps: { readonly start: number; readonly times: Map<string, number>; bytes: number }[] = [];

  constructor(horizonMs: number) {
    this.#horizonMs = horizonMs;
    this.#span = Math.ceil((horizonMs + 1) / MAPS_PER_HORIZON);
  }

  get bytes(): number {
    return this.#maps.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /**
   * Remembers that an id was seen.
   *
   * @param maximum greatest time of all, this one included
   * @returns whether it was seen before, at a time within the horizon
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
