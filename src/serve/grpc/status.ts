import type { status as Status } from '@grpc/grpc-js';
import { type FailureKind, ServeFailure } from '../failure.ts';

/** Names of gRPC status codes by kind of failure. */
const CODES: Readonly<Record<FailureKind, keyof typeof Status>> = {
  invalid: 'INVALID_ARGUMENT',
  unauthenticated: 'UNAUTHENTICATED',
  forbidden: 'PERMISSION_DENIED',
  'not found': 'NOT_FOUND',
  'too large': 'RESOURCE_EXHAUSTED',
  busy: 'RESOURCE_EXHAUSTED',
  late: 'DEADLINE_EXCEEDED',
  gone: 'CANCELLED',
  unavailable: 'UNAVAILABLE',
  internal: 'INTERNAL',
};

/**
 * Most bytes of the encoded message, in which a non-ASCII byte takes three. It is sent as a header, and clients refuse headers
 * above 8 KiB.
 */
const LONGEST = 6000;

/** How a failed call ends. */
export interface FailedStatus {
  readonly code: keyof typeof Status;
  /** What happened, further lines, and a hint. */
  readonly details: string;
  /** When the same call may succeed; undefined if the server cannot tell. */
  readonly retryMs: number | undefined;
}

/** Only a ServeFailure is meant for clients; other errors become `internal` without their text. */
export function statusOf(error: unknown): FailedStatus {
  const failure = error instanceof ServeFailure ? error : new ServeFailure('internal', 'the request failed', { cause: error });
  const { kind, message, details, hint, retryAfter } = failure;
  const lines = [message, ...details, ...(hint === undefined ? [] : [`hint: ${hint}`])];
  return { code: CODES[kind], details: fitting(lines), retryMs: retryAfter === undefined ? undefined : retryAfter * 1000 };
}

/** As many lines as fit; the first is cut if it alone does not. */
function fitting(lines: readonly string[]): string {
  let taken = '';
  for (const [at, line] of lines.entries()) {
    const longer = at === 0 ? cut(line) : `${taken}\n${line}`;
    // Replaces lone surrogates, which cannot be sent.
    const sendable = Buffer.from(longer).toString();
    if (encodeURI(sendable).length > LONGEST) continue;
    taken = sendable;
  }
  return taken;
}

/** A character takes at most nine bytes when sent. */
function cut(line: string): string {
  const most = Math.floor(LONGEST / 9);
  return line.length <= most ? line : `${line.slice(0, most - 1)}…`;
}
