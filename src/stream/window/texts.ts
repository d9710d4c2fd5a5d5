/** Approximate bytes of a string without its characters: a string header, a map entry, two array entries. */
const TEXT_BYTES = 88;

/** Strings of events as numbers: each string is kept once, for as long as an event has it. */
export class Texts {
  #bytes = 0;
  readonly #codes = new Map<string, number>();
  readonly #texts: string[] = [];
  readonly #uses: number[] = [];
  readonly #free: number[] = [];

  get bytes(): number {
    return this.#bytes;
  }

  /** All codes are below this. */
  get end(): number {
    return this.#texts.length;
  }

  take(text: string): number {
    const known = this.#codes.get(text);
    if (known !== undefined) {
      this.#uses[known] = (this.#uses[known] ?? 0) + 1;
      return known;
    }
    const code = this.#free.pop() ?? this.#texts.length;
    this.#texts[code] = text;
    this.#uses[code] = 1;
    this.#codes.set(text, code);
    this.#bytes += TEXT_BYTES + text.length;
    return code;
  }

  release(code: number): void {
    const uses = (this.#uses[code] ?? 0) - 1;
    this.#uses[code] = uses;
    if (uses > 0) return;
    const text = this.text(code);
    this.#codes.delete(text);
    this.#texts[code] = '';
    this.#free.push(code);
    this.#bytes -= TEXT_BYTES + text.length;
  }

  text(code: number): string {
    return this.#texts[code] ?? '';
  }
}
