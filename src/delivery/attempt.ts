import { setTimeout as sleep } from 'node:timers/promises';
import type { DeliveryOutcome } from '../domain/delivery.ts';

/** Total time for a target, milliseconds: DNS lookup, connecting and answering. */
export const LIMIT_MS = 10_000;

/** Pause between attempts to connect, milliseconds. */
const PAUSE_MS = 1_000;

/** Result of one attempt to send. Nothing in it comes from the other side except a number. */
export interface Attempt {
  readonly outcome: DeliveryOutcome;
  readonly status?: number;
  readonly reason?: string;
  /** Nothing was sent, and a retry a second later may succeed. */
  readonly again?: boolean;
}

/** Connection failures that may pass soon. */
export const SOON_OVER: readonly string[] = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EDNS'];

/**
 * Sends within `LIMIT_MS`. Retries only if no connection was made, so that nothing is sent twice.
 *
 * @param once receives the remaining milliseconds, an integer of at least 1, and must not throw
 */
export async function attempt(once: (left: number) => Promise<Attempt>): Promise<Attempt> {
  const end = performance.now() + LIMIT_MS;
  for (;;) {
    const { again, ...made } = await once(Math.max(1, Math.floor(end - performance.now())));
    if (again !== true || performance.now() + PAUSE_MS >= end) return made;
    await sleep(PAUSE_MS);
  }
}

/**
 * Why there is no connection, or no longer one, in our own words, because error messages quote addresses. @param code of the
 * error
 */
export function connectionProblem(code: string | undefined): string {
  switch (code) {
    case 'ECONNREFUSED':
      return 'the connection was refused';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EDNS':
      return 'the name of its host was not found';
    case 'ETIMEDOUT':
      return NO_ANSWER;
    default:
      return isOfCertificate(code)
        ? `its certificate is not trusted (${code})`
        : `the connection failed (${code ?? 'without a code'})`;
  }
}

export const NO_ANSWER = `no answer within ${LIMIT_MS / 1000} s`;

function isOfCertificate(code = ''): boolean {
  return /CERT|UNABLE_TO_|HOSTNAME_MISMATCH/.test(code);
}
