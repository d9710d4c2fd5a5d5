import { type Change, meanScore, splitChange } from './change.ts';
import { WINDOW_NOUNS, windowInWords } from './dates.ts';
import { groupSmall, MOST_VALUES, otherLabel } from './grouping.ts';
import { type Html, html, value } from './html.ts';
import { change, count, expected, percent } from './numbers.ts';
import type { PageData, SegmentChange } from './page-data.ts';
import { table } from './table.ts';
import { capitalized, earlierWindow, people } from './words.ts';

/** The finding, as a headline. */
export function headline({ totals, job, window }: PageData): string {
  const { nouns } = job;
  if (totals.users === 0) return `No ${nouns.many} in ${windowInWords(window, job.zone)}`;
  if (totals.users === 1) return `1 ${nouns.one}, with a chance of ${percent(totals.expected)} to ${nouns.outcome}`;
  return `${expected(totals.expected)} of ${people(totals.users, nouns)} are expected to ${nouns.outcome}`;
}

/** The window in one paragraph of plain words. */
export function lede(data: PageData): Html {
  const { totals, job, window, average } = data;
  const mean = meanScore(totals);
  const when = windowInWords(window, job.zone);
  if (mean === undefined)
    return html`<p class="lede">There are no ${job.nouns.many} in ${when}, so nobody is expected to ${job.nouns.outcome}.</p>`;
  const noun = WINDOW_NOUNS[window.kind];
  const averageText =
    average === undefined
      ? undefined
      : html` ${average.windows === 1 ? `The last ${noun}` : `On average, the last ${average.windows} ${noun}s`} with scores had ${expected(average.expected)} of ${count(average.users)}; this ${noun} has ${more(totals.expected - average.expected)}.`;
  return html`<p class="lede">In ${when} there ${totals.users === 1 ? 'was' : 'were'} ${people(totals.users, job.nouns)}; <b>${expected(totals.expected)}</b> (${percent(mean)}) ${totals.users === 1 ? 'is' : 'are'} expected to ${job.nouns.outcome}. ${comparison(data)}${source(data)}${averageText}</p>
`;
}

function comparison(data: PageData): Html {
  const { before, totals } = data;
  if (before === undefined)
    return html`No earlier ${WINDOW_NOUNS[data.window.kind]} has scores, so there is nothing to compare it with.`;
  const difference = totals.expected - before.expected;
  return html`That is <b>${more(difference)}</b> than in ${earlierWindow(data)}, which had ${expected(before.expected)} of ${count(before.users)} (${percent(meanScore(before) ?? 0)}).`;
}

/** `124 fewer`, `20 more`, `as many` */
function more(difference: number): string {
  const size = expected(Math.abs(difference));
  return /[1-9]/.test(size) ? `${size} ${difference < 0 ? 'fewer' : 'more'}` : 'neither more nor fewer';
}

/** Where the change comes from. */
function source(data: PageData): Html | undefined {
  const split = splitOf(data);
  if (split === undefined || data.before === undefined) return undefined;
  const users = data.totals.users - data.before.users;
  // If values of the segment moved against each other, their mix outweighs the number.
  const ofSize =
    users * split.size > 0
      ? `having ${count(Math.abs(users))} ${users < 0 ? 'fewer' : 'more'} ${data.job.nouns.many}`
      : `a changed mix of ${data.job.nouns.many}`;
  return html` ${capitalized(ofSize)} ${effect(split.size, 'the number')}; ${risk(split.risk, data.before.expected)}.${largest(data, split)}`;
}

/** Below this effect, a risk is described as unchanged. */
const UNCHANGED = 0.01;

function risk(difference: number, before: number): string {
  if (Math.abs(difference) < UNCHANGED * before) return 'the risk is practically unchanged';
  return `a ${difference < 0 ? 'lower' : 'higher'} risk ${effect(difference, 'it')}`;
}

/** `raises it by 20`, `lowers it by 125`, `makes no difference` */
function effect(difference: number, what: string): string {
  const size = expected(Math.abs(difference));
  if (!/[1-9]/.test(size)) return 'makes no difference';
  return `${difference < 0 ? 'lowers' : 'raises'} ${what} by ${size}`;
}

/** The value of the segment that changed most, if it accounts for more than half of all movement. */
function largest({ change: bySegment }: PageData, { values }: Change): Html | undefined {
  if (bySegment === undefined || values.length < 2) return undefined;
  const moved = values.map((one) => ({ ...one, total: one.size + one.risk }));
  const all = moved.reduce((sum, one) => sum + Math.abs(one.total), 0);
  const [top] = moved.toSorted((a, b) => Math.abs(b.total) - Math.abs(a.total));
  if (top === undefined || all === 0 || Math.abs(top.total) < all / 2) return undefined;
  return html` Most of the change is in ${value(bySegment.segment)} “${value(top.value)}” (${change(top.total)}).`;
}

/** The numbers behind the paragraph, by segment. */
export function changeTable(data: PageData): Html | undefined {
  const split = splitOf(data);
  if (split === undefined || data.before === undefined || data.change === undefined) return undefined;
  const { nouns } = data.job;
  const row = (name: string | Html, one: SegmentChange, effects: { size: number; risk: number }) => [
    name,
    count(one.before.users),
    count(one.now.users),
    percent(meanScore(one.before) ?? 0),
    percent(meanScore(one.now) ?? 0),
    change(effects.size),
    change(effects.risk),
  ];
  const total = { value: 'all', now: data.totals, before: data.before };
  return html`<details class="change"><summary>Where the change since ${data.before.label} comes from</summary>
${table({
  caption: `Change of expected ${nouns.many} by ${data.change.segment}`,
  columns: [
    { head: value(data.change.segment) },
    { head: `${nouns.many} ${data.before.label}`, numeric: true },
    { head: `${nouns.many} ${data.window.label}`, numeric: true },
    { head: `mean score ${data.before.label}`, numeric: true },
    { head: `mean score ${data.window.label}`, numeric: true },
    { head: 'due to numbers', numeric: true },
    { head: 'due to risk', numeric: true },
  ],
  rows: [...split.values.map((one) => row(value(one.value), one, one)), row('all', total, split)],
})}<p class="note">Numbers: how many more or fewer ${nouns.many} there are, at the earlier mean score. Risk: how the mean score changed, for the current ${nouns.many}. Sums of rounded numbers may differ by one.</p></details>
`;
}

/** By the values that may be shown; without segments, for all users. */
function splitOf({ change: bySegment, before, totals, job }: PageData): Change | undefined {
  if (before === undefined) return undefined;
  const values = bySegment?.values ?? [{ value: 'all', now: totals, before }];
  const whole = splitChange(values);
  // A value counts as the smaller of its two windows, or if it is in one window only, by that one.
  const users = ({ now, before: then }: SegmentChange) => Math.min(now.users || then.users, then.users || now.users);
  const { shown, rest } = groupSmall(whole.values, { minCell: bySegment ? job.minCell : 0, most: MOST_VALUES, users });
  if (rest.length === 0) return { ...whole, values: shown };
  const sum = (pick: (one: (typeof rest)[number]) => number) => rest.reduce((all, one) => all + pick(one), 0);
  const other = {
    value: otherLabel(rest.length),
    now: { users: sum(({ now }) => now.users), expected: sum(({ now }) => now.expected) },
    before: { users: sum(({ before: then }) => then.users), expected: sum(({ before: then }) => then.expected) },
    size: sum(({ size }) => size),
    risk: sum(({ risk }) => risk),
  };
  return { ...whole, values: [...shown, other] };
}
