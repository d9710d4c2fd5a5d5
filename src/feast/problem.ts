/** How a call to Feast failed. `status`: the status was not 200. `too large`: the answer exceeds its limit of bytes. */
export type ProblemKind = 'timeout' | 'unreachable' | 'status' | 'too large' | 'invalid';

/** A call without a usable answer. The message contains no feature or key values. */
export class FeastProblem extends Error {
  override readonly name = 'FeastProblem';
  readonly kind: ProblemKind;
  readonly status: number | undefined;
  /** Feast's own message, which may quote keys: shown only at the start, where the key is made up. */
  readonly detail: string | undefined;

  constructor(kind: ProblemKind, message: string, { status, detail }: { status?: number; detail?: string } = {}) {
    super(message);
    this.kind = kind;
    this.status = status;
    this.detail = detail;
  }
}
