import { SIGNALS, type Signal } from './signals.ts';

/** What could not be sent, and the first reason of each signal. */
export interface Failures {
  note(signal: Signal, error: unknown): void;
  /** What the packages themselves warn of: an answer that is none, or a collector that takes only a part. */
  doubt(message: string): void;
  /** One text for all; undefined if there is nothing to say. */
  text(): string | undefined;
}

export function noteFailures(): Failures {
  const lost = new Map<Signal, string>();
  let doubted: string | undefined;
  return {
    note(signal, error) {
      if (!lost.has(signal)) lost.set(signal, reasonOf(error));
    },
    doubt(message) {
      doubted ??= message;
    },
    text() {
      if (lost.size === 0) return doubted;
      const signals = SIGNALS.filter((signal) => lost.has(signal));
      const reasons = [...new Set(signals.map((signal) => lost.get(signal)))];
      return `not all ${signals.join(' and ')} could be sent: ${reasons.join('; ')}`;
    },
  };
}

/** Without what the collector answered, which may be a page. */
function reasonOf(error: unknown): string {
  const { message = '', code } = (error ?? {}) as { readonly message?: string; readonly code?: unknown };
  if (typeof code === 'number') return `the collector answered ${code} ${message}`.trim();
  // An attempt for each address of a host is an error without a text.
  return message || (typeof code === 'string' ? code : 'unknown error');
}
