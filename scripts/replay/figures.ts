import type { Publication } from './publications.ts';

/** One call of `score-batch --slice`. */
export interface SliceCall {
  readonly published: readonly Publication[];
  readonly wall: number;
  /** Processor seconds; undefined for a separate process. */
  readonly cpu: number | undefined;
  /** Rows of `orders` that the slice needed: those in its spans, and those of its users. */
  readonly rowsRead: number;
  readonly rows: number;
}

export interface BatchCall {
  readonly label: string;
  readonly users: number;
  readonly wall: number;
  readonly cpu: number;
}

export interface Kills {
  /** Slices killed before they ended. */
  killed: number;
  /** Killed slices that had recorded their spans and were resumed. */
  resumed: number;
  /** Killed slices whose rows were published anyway. */
  published: number;
}

export interface Figures {
  readonly calls: readonly SliceCall[];
  /** Wall seconds of slices in separate processes. */
  readonly apart: readonly number[];
  readonly batches: readonly BatchCall[];
  readonly kills: Kills;
  readonly oracles: number;
  readonly within: number;
  readonly checks: ReadonlyMap<string, number>;
}

/** The figures as lines of text. */
export function showFigures({ calls, apart, batches, kills, oracles, within, checks }: Figures): string[] {
  const slices = calls.flatMap(({ published }) => published);
  const sum = (part: (one: Publication) => number) => slices.reduce((total, one) => total + part(one), 0);
  const [scored, unchanged, quarantined] = [
    sum(({ outcome }) => outcome.scored),
    sum(({ outcome }) => outcome.unchanged),
    sum(({ outcome }) => outcome.quarantined),
  ];
  const changes = slices.filter(({ slice }) => slice.kind === 'changes');
  const skipped = changes.reduce((total, { outcome }) => total + outcome.unchanged, 0);
  const read = changes.reduce((total, { outcome }) => total + (outcome.changed_keys ?? 0), 0);
  const measured = calls.filter(({ cpu }) => cpu !== undefined);
  const alone = measured.filter(({ published }) => published.length === 1 && published[0]?.slice.kind === 'changes');
  const fixed = alone.filter(({ published }) => (published[0]?.outcome.changed_keys ?? 2) <= 1);
  const whole = measured.filter(({ published }) => published.some(({ slice }) => slice.kind !== 'changes'));
  const walls = (list: readonly SliceCall[]) => list.map(({ wall }) => wall);
  const total = (list: readonly number[]) => list.reduce((one, other) => one + other, 0);
  const cpus = (list: readonly SliceCall[]) => list.flatMap(({ cpu }) => cpu ?? []);
  const batchWall = total(batches.map(({ wall }) => wall));
  const batchCpu = total(batches.map(({ cpu }) => cpu));
  const shares = alone.filter(({ rows }) => rows > 0).map(({ rowsRead, rows }) => rowsRead / rows);
  return [
    `slices              ${slices.length}: ${changes.length} of what changed, ${slices.length - changes.length} of all users`,
    `kills               ${kills.killed}, of them ${kills.resumed} taken up again with their spans, ${kills.published} published all the same`,
    `rows                ${scored} scored, ${unchanged} unchanged, ${quarantined} quarantined`,
    `no scoring needed   ${percent(unchanged, scored + unchanged)} of all rows; ${percent(skipped, read)} of the users that slices of changes read`,
    `users that changed  ${quantiles(
      changes.map(({ outcome }) => outcome.changed_keys ?? 0),
      0,
    )} per slice`,
    `seconds per slice   ${quantiles(walls(alone), 2)} of what changed; ${quantiles(walls(whole), 2)} with one of all users`,
    `seconds of all cores ${quantiles(cpus(alone), 2)} of what changed; ${quantiles(cpus(fixed), 2)} of those with 0 or 1 changed user`,
    `fixed seconds       ${quantiles(walls(fixed), 2)} of ${fixed.length} slices with 0 or 1 changed user; as a process ${quantiles(apart, 2)}`,
    `batch               ${batches.length} weeks of ${quantiles(
      batches.map(({ users }) => users),
      0,
    )} users: seconds ${quantiles(
      batches.map(({ wall }) => wall),
      2,
    )}`,
    `slices / batch      one ${ratio(median(walls(alone)), batchWall / batches.length)} of a batch's seconds; all ${ratio(total(walls(measured)), batchWall)}, in seconds of all cores ${ratio(total(measured.map(({ cpu }) => cpu ?? 0)), batchCpu)}`,
    `rows read           ${percent(total(shares), shares.length)} of the table on average, at most ${percent(Math.max(...shares), 1)}, by slices of changes`,
    `comparisons         ${within} of ${batches.length} week ends within the limits`,
    `oracle              asked ${oracles} times`,
    ...[...checks].map(([name, times]) => `held                ${times} ${name}`),
  ];
}

function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

function quantiles(values: readonly number[], digits: number): string {
  if (values.length === 0) return 'none';
  return `median ${median(values).toFixed(digits)}, p95 ${quantile(values, 0.95).toFixed(digits)}, most ${quantile(values, 1).toFixed(digits)}`;
}

function percent(part: number, whole: number): string {
  return whole === 0 ? 'none' : `${((100 * part) / whole).toFixed(2)} %`;
}

function ratio(one: number, other: number): string {
  return `${(one / other).toFixed(2)}×`;
}
