// Messages that a publication sends to people: a chat message, a mail. The ledger gets an entry before a message leaves, so
// that it leaves at most once, and another with its outcome.

/** Where messages go: keys of `delivery` in the job file. */
export const TARGETS = ['webhook', 'mail'] as const;
export type Target = (typeof TARGETS)[number];

/** Why a message is sent: a window's first publication, another one with other scores, or a rollback. */
export type Occasion = 'published' | 'published again' | 'rolled back';

/** `unknown`: it was sent, but never confirmed. */
export type DeliveryOutcome = 'delivered' | 'failed' | 'unknown';

/** A ledger entry's record of a delivery. It names no address and quotes no answer. */
export interface Delivery {
  readonly publication: number;
  /** The run of that publication. */
  readonly run_id: string;
  readonly target: Target;
  readonly occasion: Occasion;
  /** Absent in the entry that is written before the message leaves. */
  readonly outcome?: DeliveryOutcome;
  /** Status of the answer: HTTP, or the code of an SMTP reply. */
  readonly status?: number;
  /** Why it failed or is unknown, or a remark about a delivery; in our own words. */
  readonly reason?: string;
}
