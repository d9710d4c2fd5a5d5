/** How a call of Feast failed. `status`: it answered with another status than 200. `too large`: it has more bytes than it may. */
export type ProblemKind = 'timeout' | 'unreachable' | 'status' | 'too large' | 'invalid';

/** A call without an answer that can be used. The message holds no value of a feature or key. */
export class FeastProblem extends Error {
  override readonly name = 'FeastProblem';
  readonly kind: ProblemKind;
  readonly status: number | undefined;
  /** What Feast says itself, which may quote keys: for the start only, where the key is made up. */
  readonly detail: string | undefined;

  constructor(kind: ProblemKind, message: string, { status, detail }: { status?: number; detail?: string } = {}) {
    super(message);
    this.kind = kind;
    this.status = status;
    this.detail = detail;
  }
}
