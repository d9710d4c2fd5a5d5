import type { EventFeatures } from '../../../src/event-features/definition.ts';
import type { LogRecord } from '../../../src/stream/log.ts';
import { type Broker, readCommitted } from './broker.ts';
import { type Expected, verdictsOf } from './oracle.ts';

interface Found {
  readonly partition: number;
  readonly offset: number;
  readonly reason?: string;
  readonly features?: readonly unknown[];
  readonly idle?: boolean;
}

/**
 * Compares what a reader of committed records sees with what the rules say: each accepted event scored once, with the features
 * of a run without faults; each rejected one once in the dead-letter topic; events of a key in order.
 *
 * @param idle whether all pending events have been scored at the end
 */
export function problemsOf(broker: Broker, features: EventFeatures, idle: boolean): string[] {
  const problems: string[] = [];
  const output = readCommitted(broker).map(({ key, value }) => ({ key: String(key), ...(JSON.parse(String(value)) as Found) }));
  for (const [partition, { entries }] of broker.input.entries()) {
    const own = output.filter((found) => found.partition === partition);
    const records = entries.filter((entry): entry is LogRecord => entry !== 'passed over');
    const { expected, frontier } = verdictsOf(records, features);
    const byOffset = new Map<number, Found[]>();
    for (const found of own) byOffset.set(found.offset, [...(byOffset.get(found.offset) ?? []), found]);
    for (const { offset } of records) {
      const want = expected.get(offset) as Expected;
      const have = byOffset.get(offset) ?? [];
      byOffset.delete(offset);
      const waits = want.is !== 'dropped' && !idle && frontier !== null && isPending(want, records, offset, frontier);
      if (waits && have.length === 0) continue;
      const problem = differenceOf(want, have);
      if (problem !== undefined) problems.push(`partition ${partition}, offset ${offset}: ${problem}`);
    }
    for (const offset of byOffset.keys()) problems.push(`partition ${partition}, offset ${offset}: written, but never read`);
    problems.push(...outOfOrder(own, expected, features).map((text) => `partition ${partition}, ${text}`));
  }
  return problems;
}

function isPending(want: Expected, records: readonly LogRecord[], offset: number, frontier: number): boolean {
  if (want.is === 'scored') return want.event.time >= frontier;
  if (want.is !== 'rejected' || want.reason !== 'refused by the model') return false;
  const record = records.find((one) => one.offset === offset);
  return (JSON.parse(String(record?.value)) as { time: number }).time >= frontier;
}

function differenceOf(want: Expected, have: readonly Found[]): string | undefined {
  const [first] = have;
  if (want.is === 'dropped') return have.length === 0 ? undefined : 'a duplicate was written';
  if (first === undefined) return want.is === 'scored' ? 'lost' : `lost, should be rejected: ${want.reason}`;
  if (have.length > 1) return `written ${have.length} times`;
  if (want.is === 'rejected') return first.reason === want.reason ? undefined : `${first.reason} instead of ${want.reason}`;
  if (first.reason !== undefined) return `rejected: ${first.reason}`;
  if (first.idle === true) return undefined;
  const text = JSON.stringify(want.features);
  return JSON.stringify(first.features) === text ? undefined : `${JSON.stringify(first.features)} instead of ${text}`;
}

/** Idle scores come before their time, so that an earlier event may follow them. */
function outOfOrder(
  own: readonly (Found & { readonly key: string })[],
  expected: ReadonlyMap<number, Expected>,
  { asOf }: EventFeatures,
): string[] {
  const last = new Map<string, readonly [number, number]>();
  const problems: string[] = [];
  for (const { key, offset, idle } of own) {
    const want = expected.get(offset);
    if (want?.is !== 'scored' || idle === true) continue;
    const place = [asOf === 'event' ? want.event.time : 0, offset] as const;
    const before = last.get(key);
    if (before !== undefined && (before[0] > place[0] || (before[0] === place[0] && before[1] > place[1]))) {
      problems.push(`offset ${offset}: scored after offset ${before[1]} of its key`);
    }
    last.set(key, place);
  }
  return problems;
}
