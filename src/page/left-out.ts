import { type Html, html, value } from './html.ts';
import { count, percent } from './numbers.ts';
import type { LeftOut, PageData } from './page-data.ts';
import { section } from './section.ts';
import { table } from './table.ts';

/** Meaning of each reason in the quarantine table. */
const MEANINGS: Readonly<Record<string, string>> = {
  'null in a required feature': 'a value that the model needs is missing',
  'feature is not a finite number': 'a value is not a number',
  'feature out of range': 'a number is too large for the model',
  'unknown category': 'a text that the model was never trained on',
  'score is not a finite number': 'the model gave no number',
  'score outside 0 to 1': 'the model gave a number that is not a probability',
  'null key': 'the row does not say who it is',
  'duplicate key': 'the same key occurs in several rows',
};

export function leftOutSection(data: PageData): Html {
  const { leftOut } = data;
  return section({
    id: 'left-out',
    heading: 'What was left out',
    body: html`<p>${leftOutInShort(data)}${leftOut.length > 0 ? ' Those are in the quarantine table, and in no other number of this page.' : ''}</p>
${
  leftOut.length > 0
    ? table({
        caption: 'Rows without a score',
        columns: [{ head: 'why' }, { head: 'column' }, { head: 'rows', numeric: true }],
        rows: byRows(leftOut)
          .slice(0, MOST_REASONS)
          .map(({ reason, column, rows }) => [meaningOf(reason), column === '' ? '' : value(column), count(rows)]),
      })
    : undefined
}${leftOut.length > MOST_REASONS ? html`<p class="note">${leftOut.length - MOST_REASONS} more reasons are in the quarantine table.</p>` : undefined}`,
  });
}

/** Most reasons to list. */
const MOST_REASONS = 20;

/** `12 of 2,065 rows (0.6%) have no score; most often, a text that the model was never trained on (9).` */
export function leftOutInShort({ leftOut, totals, job }: PageData): string {
  const rows = leftOut.reduce((sum, one) => sum + one.rows, 0);
  if (rows === 0)
    return totals.users === 0
      ? 'Nothing: there were no rows.'
      : `Nothing: every row has a score, ${count(totals.users)} in all.`;
  const all = rows + totals.users;
  const [most] = byRows(leftOut);
  const why =
    most === undefined
      ? ''
      : ` ${leftOut.length > 1 ? 'Most often' : 'The reason'}: ${meaningOf(most.reason)}${inColumn(most.column)} (${count(most.rows)}).`;
  return `${count(rows)} of ${count(all)} rows of ${job.nouns.many} (${percent(rows / all)}) ${rows === 1 ? 'has' : 'have'} no score.${why}`;
}

function byRows(leftOut: readonly LeftOut[]): LeftOut[] {
  return leftOut.toSorted((a, b) => b.rows - a.rows);
}

function inColumn(column: string): string {
  return column === '' ? '' : `, in ${column}`;
}

function meaningOf(reason: string): string {
  return MEANINGS[reason] ?? reason;
}
