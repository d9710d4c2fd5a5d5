import { type Html, html, link, type Part, value } from './html.ts';
import { callsInShort } from './lift-words.ts';
import { decimal, percent } from './numbers.ts';
import type { PageData, RiskyUser } from './page-data.ts';
import { section } from './section.ts';
import { table } from './table.ts';

/** If the first and the last of the list differ by less, their order is said to mean little. */
const CLOSE = 0.01;
/** Rows that are printed; the style sheet hides the others. */
const PRINTED = 5;
/** Scores that differ by less are described as tied. */
const TIED = 0.005;

export function riskiestSection(data: PageData): Html {
  const { riskiest, job, links, reasons } = data;
  const { nouns } = job;
  const keys = riskiest.some(({ key }) => key !== undefined);
  const holdout = riskiest.some((user) => user.holdout);
  const body =
    riskiest.length === 0
      ? html`<p>There is nobody to list.</p>`
      : html`<p>${closeness(riskiest)} ${callsInShort(data.outcome)} ${
          links.list === undefined ? undefined : html`All ${nouns.many} are in ${link(links.list, links.list)}.`
        }</p>
${table({
  caption: `The ${riskiest.length} ${riskiest.length === 1 ? nouns.one : nouns.many} with the highest scores`,
  columns: [
    { head: 'rank', numeric: true },
    ...(keys ? job.keyColumns.map((head) => ({ head: value(head) })) : []),
    { head: 'score', numeric: true },
    { head: 'band' },
    ...(reasons ? [{ head: 'why the score is high', wide: true }] : []),
    ...(holdout ? [{ head: 'contact' }] : []),
  ],
  rows: riskiest.map((user) => [
    user.rank,
    ...(keys ? job.keyColumns.map((_, i) => value(cut(user.key?.[i] ?? ''))) : []),
    percent(user.score, 2),
    value(user.band),
    ...(reasons ? [reasonList(user)] : []),
    ...(holdout ? [user.holdout ? 'do not contact' : ''] : []),
  ]),
})}${riskiest.length > PRINTED ? html`<p class="note printed">Printed here: the first ${PRINTED} of the ${riskiest.length} on the page.</p>` : undefined}<p class="note">${notes(data, keys, holdout).join(' ')}</p>
`;
  return section({
    id: 'riskiest',
    heading: `Who to call first: the ${riskiest.length > 1 ? `${riskiest.length} riskiest` : 'riskiest'}`,
    body,
  });
}

/** How close the scores of the list are, and from which rank on they are practically tied. */
function closeness(riskiest: readonly RiskyUser[]): string {
  const [first] = riskiest;
  const last = riskiest.at(-1);
  if (first === undefined || last === undefined || riskiest.length < 2) return '';
  const range = `Their scores run from ${percent(first.score, 2)} to ${percent(last.score, 2)}`;
  const apart = (from: RiskyUser) => `${decimal((from.score - last.score) * 100, 2)} points apart`;
  if (first.score - last.score < CLOSE)
    return `${range}, ${apart(first)}: the order among these ${riskiest.length} means next to nothing.`;
  const tied = riskiest.find(({ score }) => score - last.score < TIED);
  if (tied === undefined || last.rank - tied.rank < 2) return `${range}.`;
  return `${range}; ranks ${tied.rank} to ${last.rank} are practically tied (${apart(tied)}).`;
}

/** A reason that at least half of the list has, in the same words. */
export function commonest(riskiest: readonly RiskyUser[]): Html | undefined {
  const times = new Map<string, number>();
  for (const reason of riskiest.flatMap(({ reasons }) => [...new Set(reasons)]))
    times.set(reason, (times.get(reason) ?? 0) + 1);
  const [top] = [...times].sort((a, b) => b[1] - a[1]);
  if (top === undefined || riskiest.length < 2 || top[1] * 2 < riskiest.length) return undefined;
  return html`Why: most often “<bdi>${cut(top[0])}</bdi>” (${top[1]} of the ${riskiest.length} listed).`;
}

function reasonList({ reasons }: RiskyUser): Part {
  if (reasons.length === 0) return 'none given';
  return reasons.map((reason, i) => html`${i === 0 ? '' : '; '}${value(cut(reason))}`);
}

function notes({ job, reasons }: PageData, keys: boolean, holdout: boolean): string[] {
  const method =
    reasons?.method === 'occlusion'
      ? ' They were found by occlusion: how the score falls if a value is replaced by those of other people.'
      : '';
  return [
    ...(keys
      ? []
      : [
          `The job file does not allow keys on this page (report.page_keys); the rank leads to the ${job.nouns.one} in the list.`,
        ]),
    reasons
      ? `Reasons are what raised the score most, the strongest first; they are not causes, and changing them may not help. “Usually” is the median of the model’s baseline rows.${method}`
      : 'The job gives no reasons (score.reasons).',
    ...(holdout ? ['“Do not contact” marks the group that shows what happens without contact.'] : []),
  ];
}

/** Long values must not fill the page. */
function cut(text: string): string {
  const all = [...text];
  return all.length > 100 ? `${all.slice(0, 99).join('')}…` : text;
}
