import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Context } from '../context.ts';
import { type Due, dueMessage } from '../domain/deliveries.ts';
import { type Delivery, TARGETS } from '../domain/delivery.ts';
import type { LedgerEntry, LedgerWindow, RunState } from '../domain/ledger.ts';
import { currentEntries } from '../domain/publications.ts';
import type { Ledger } from '../warehouse/warehouse.ts';
import type { Attempt } from './attempt.ts';
import { type DeliverOptions, readMaterial } from './material.ts';
import { type DeliverySettings, type Send, senderOf } from './senders.ts';
import { tell } from './story.ts';

type Surroundings = Pick<Context, 'environment' | 'console' | 'signal'>;

/**
 * Sends each target of the job the message due for the window's current publication; see `dueMessage`. At most once: the ledger
 * records it before the message leaves. Failures are warnings, since the window stays published.
 */
export async function deliver(options: DeliverOptions, context: Surroundings): Promise<void> {
  const { console } = context;
  const { label } = options.window;
  try {
    const all = await dueNow(options);
    for (const [done, due] of all.entries()) {
      if (context.signal.aborted) return sayInterrupted(label, all.slice(done), console);
      await deliverOne(options, due, context).catch((error: unknown) => {
        console.warn(`${label} is published, but the message to ${due.target} was not sent: ${messageOf(error)}`);
      });
    }
  } catch (error) {
    console.warn(`${label} is published, but no message was sent: ${messageOf(error)}`);
  }
}

/** Warns, because only another invocation would send due messages, and a scheduler sees no reason for one. */
function sayInterrupted(label: string, left: readonly Due[], console: Surroundings['console']): void {
  const targets = left.map(({ target }) => target).join(' and ');
  console.warn(
    `${label} is published, but the command was interrupted before the message to ${targets} was sent; run it again`,
  );
}

/** Due messages, at most one per target. */
async function dueNow({ job, window, ledger }: DeliverOptions): Promise<Due[]> {
  const { delivery, name, every } = job.definition;
  if (delivery === undefined || job.deliver === false || window.kind !== every) return [];
  const entries = await ledger.entries({ job: name, window });
  const configured = TARGETS.filter((target) => delivery[target] !== undefined);
  const isNewest = await noLaterThan(window, { name, ledger });
  return configured.flatMap((target) => dueMessage(entries, target, isNewest) ?? []);
}

/** Whether no later window of the same kind is published. */
async function noLaterThan(
  window: LedgerWindow,
  { name, ledger }: { readonly name: string; readonly ledger: Ledger },
): Promise<boolean> {
  const later = { ...window, start: window.end, end: '9999-12-31T00:00:00.000Z' };
  const entries = await ledger.entries({ job: name, near: later });
  return !currentEntries(entries).some((entry) => entry.window.kind === window.kind && entry.window.start >= window.end);
}

async function deliverOne(options: DeliverOptions, due: Due, { environment, console }: Surroundings): Promise<void> {
  const { job } = options;
  // Before the ledger entry, do everything that can fail without sending.
  const settings = job.definition.delivery as DeliverySettings;
  const sender = await senderOf(due.target, settings, environment);
  const { data, page } = await readMaterial(options, due);
  const send = await sender(tell(data, due, settings.link), page);
  const entry = await claim(options, due);
  if (entry === undefined) return;
  const made = await sendOnce(send);
  say(options.window, due, made, console);
  await options.ledger.append(outcomeEntry(entry, made)).catch((error: unknown) => {
    console.warn(`the outcome of the message to ${due.target} was not recorded: ${messageOf(error)}`);
  });
}

/**
 * Records that the message is about to be sent, unless another process has recorded it, or the publication is no longer
 * current.
 *
 * @returns undefined if this process must not send it
 */
async function claim({ job, window, ledger }: DeliverOptions, due: Due): Promise<LedgerEntry | undefined> {
  const { target, occasion, entry } = due;
  const delivery: Delivery = { publication: entry.publication, run_id: entry.runId, target, occasion };
  const begun: LedgerEntry = {
    ...{ recordedAt: new Date().toISOString(), host: hostname(), job: job.definition.name, window },
    runId: `${window.label}-${target}-${randomBytes(6).toString('hex')}`,
    ...{ state: 'delivering', fingerprint: 'none', model: entry.model, details: { delivery } },
  };
  return await ledger.decide<LedgerEntry | undefined>({ job: job.definition.name, window }, async (entries) => {
    // A later window published meanwhile does not change what is due.
    const still = dueMessage(entries, target, true);
    return still?.entry.publication === entry.publication && still.occasion === occasion
      ? { append: begun, result: begun }
      : { result: undefined };
  });
}

/** After an unexpected error it is unknown whether the message was sent. */
async function sendOnce(send: Send): Promise<Attempt> {
  try {
    return await send();
  } catch {
    return { outcome: 'unknown', reason: 'sending ended with an error' };
  }
}

const STATES: Readonly<Record<Attempt['outcome'], RunState>> = {
  delivered: 'delivered',
  failed: 'undelivered',
  unknown: 'delivering',
};

function outcomeEntry(begun: LedgerEntry, { outcome, status, reason }: Attempt): LedgerEntry {
  const delivery: Delivery = {
    ...(begun.details.delivery as Delivery),
    outcome,
    ...(status !== undefined && { status }),
    ...(reason !== undefined && { reason }),
  };
  return { ...begun, recordedAt: new Date().toISOString(), state: STATES[outcome], details: { delivery } };
}

function say({ label }: LedgerWindow, due: Due, { outcome, reason }: Attempt, console: Surroundings['console']): void {
  const what = `publication ${due.entry.publication} of ${label}`;
  const why = reason === undefined ? '' : `: ${reason}`;
  if (outcome === 'delivered' && reason === undefined) console.info(`delivered ${what} to ${due.target}`);
  else if (outcome === 'delivered') console.warn(`delivered ${what} to ${due.target}, but ${reason}`);
  else if (outcome === 'failed') console.warn(`could not deliver ${what} to ${due.target}${why}; it will not be retried`);
  else
    console.warn(
      `began to deliver ${what} to ${due.target}, and it is unknown whether it arrived${why}; it will not be retried`,
    );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
