import { SIGNALS, type Signal } from './signals.ts';

/** Collects what could not be sent, and the first reason per signal. */
export interface Failures {
  note(signal: Signal, error: unknown): void;
  /** Notes a warning of the packages: an invalid answer, or a collector that accepted only a part. */
  doubt(message: string): void;
  /** One message for everything; undefined if there is nothing to say. */
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

/** Excludes the collector's answer, which may be a whole page. */
function reasonOf(error: unknown): string {
  const { message = '', code } = (error ?? {}) as { readonly message?: string; readonly code?: unknown };
  if (typeof code === 'number') return `the collector answered ${code} ${message}`.trim();
  // An error that collects attempts at several addresses has no message.
  return message || (typeof code === 'string' ? code : 'unknown error');
}
