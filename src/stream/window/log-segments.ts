/** Most records per segment: a rebuild reads about one segment too many. */
const RECORDS = 4_096;
const SEGMENTS = 256;
/** Approximate bytes of a segment. */
const SEGMENT_BYTES = 80;

interface Segment {
  readonly offset: number;
  /** Running maximum before the segment. */
  readonly maximum: number | null;
  /** Start of its time span. */
  readonly start: number;
  /** Time of its newest valid event. */
  greatest: number;
  records: number;
}

/** Segments of the log, which tell from where a partition's window must be read again. */
export class LogSegments {
  readonly #spanMs: number;
  #segments: Segment[] = [];

  /** @param keptMs how far below the running maximum events still matter */
  constructor(keptMs: number) {
    this.#spanMs = Math.ceil(keptMs / SEGMENTS);
  }

  get bytes(): number {
    return SEGMENT_BYTES * this.#segments.length;
  }

  /** @param before running maximum before the event */
  add(offset: number, time: number, before: number | null): void {
    let last = this.#segments.at(-1);
    if (last === undefined || last.records === RECORDS || (before ?? time) - last.start >= this.#spanMs) {
      last = { offset, maximum: before, start: before ?? time, greatest: time, records: 0 };
      this.#segments.push(last);
    }
    last.records += 1;
    if (time > last.greatest) last.greatest = time;
  }

  /** Forgets leading segments whose events are all before a time. */
  removeBefore(oldest: number): void {
    let passed = 0;
    while (passed < this.#segments.length && (this.#segments[passed]?.greatest ?? 0) < oldest) passed += 1;
    if (passed > 0) this.#segments.splice(0, passed);
  }

  /** The first offset that still matters, and the running maximum before it; undefined if none does. */
  get first(): { readonly offset: number; readonly maximum: number | null } | undefined {
    const segment = this.#segments[0];
    return segment && { offset: segment.offset, maximum: segment.maximum };
  }
}
