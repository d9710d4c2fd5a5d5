// What a publication sends to people: a message to a chat, a mail. The ledger has an entry before a message leaves, so that it
// leaves at most once, and another one that says what became of it.

/** Where messages go: keys of `delivery` in the job file. */
export const TARGETS = ['webhook', 'mail'] as const;
export type Target = (typeof TARGETS)[number];

/** Why a message is sent: a window's first publication, another one with other scores, or a rollback. */
export type Occasion = 'published' | 'published again' | 'rolled back';

/** `unknown`: it was sent, and nobody has said that it arrived. */
export type DeliveryOutcome = 'delivered' | 'failed' | 'unknown';

/** What an entry says of a delivery. It names no address and quotes no answer. */
export interface Delivery {
  readonly publication: number;
  /** The run of that publication. */
  readonly run_id: string;
  readonly target: Target;
  readonly occasion: Occasion;
  /** Absent in the entry that is written before the message leaves. */
  readonly outcome?: DeliveryOutcome;
  /** Of an answer: an HTTP status, or the code of an SMTP reply. */
  readonly status?: number;
  /** Why it failed or is unknown, or what is to be said of a delivery; in our words. */
  readonly reason?: string;
}
