import { meanScore } from './change.ts';
import { momentIn } from './dates.ts';
import { htmlDocument } from './document.ts';
import { type Html, html, link, type Part, value } from './html.ts';
import { change, count, expected, percent } from './numbers.ts';
import type { IndexData, IndexRow } from './page-data.ts';
import { section } from './section.ts';
import { table } from './table.ts';
import { scoreTrend, usersTrend } from './trend.ts';
import { people } from './words.ts';

/** Most windows in the charts. */
const DRAWN = 104;
/** Most windows in the table; older ones are only in the warehouse's tables. */
const MOST_ROWS = 1000;

/** The page that lists all windows of a job, as a self-contained HTML document. */
export function renderIndex(data: IndexData): string {
  const { job, windows } = data;
  return htmlDocument({
    title: `${job.name}: all windows`,
    header: html`<p class="kicker">score-batch</p>
<h1>${value(job.name)}</h1>
${job.description === undefined ? undefined : html`<p class="dek">${value(job.description)}</p>`}
`,
    main: windows.length === 0 ? html`<p class="lede">Nothing is published yet.</p>` : [newest(data), trend(data), list(data)],
    footer: html`<p>As of entry ${count(data.entryNumber)} of the ledger. Times are in ${job.zone}.</p>
`,
  });
}

function newest({ windows, job }: IndexData): Html {
  const latest = windows.find(({ totals }) => totals !== undefined);
  if (latest?.totals === undefined) return html`<p class="lede">No window has scores.</p>`;
  const { totals } = latest;
  return html`<p class="lede">The newest window is ${windowLink(latest)}: <b>${expected(totals.expected)}</b> of ${people(totals.users, job.nouns)} (${percent(meanScore(totals) ?? 0)}) are expected to ${job.nouns.outcome}.</p>
`;
}

function trend({ windows, job }: IndexData): Html {
  const drawn = windows.slice(0, DRAWN).toReversed();
  return section({
    id: 'trend',
    heading: windows.length > DRAWN ? `The last ${DRAWN} windows` : 'All windows',
    body: html`<div class="grid">${usersTrend(drawn, job.nouns)}${scoreTrend(drawn, job.nouns)}</div>`,
  });
}

function list({ windows, job }: IndexData): Html {
  const rows = windows.slice(0, MOST_ROWS);
  return section({
    id: 'windows',
    heading: 'Reports, newest first',
    body: [
      table({
        caption: `Windows of ${job.name}`,
        columns: [
          { head: 'window' },
          { head: job.nouns.many, numeric: true },
          { head: `expected to ${job.nouns.outcome}`, numeric: true },
          { head: 'change', numeric: true },
          { head: 'mean score', numeric: true },
          { head: 'published' },
        ],
        rows: rows.map((row, i) => cells(row, windows.slice(i + 1), job.zone)),
      }),
      windows.length > MOST_ROWS
        ? html`<p class="note">${count(windows.length - MOST_ROWS)} older windows are in the tables only.</p>`
        : undefined,
    ],
  });
}

/** @param older windows, newest first; the change is relative to the first of them that has scores */
function cells(row: IndexRow, older: readonly IndexRow[], zone: string): Part[] {
  const { totals, publishedAt } = row;
  if (totals === undefined) return [row.label, 'no scores', '', '', '', ''];
  const before = older.find((one) => one.totals !== undefined)?.totals;
  return [
    windowLink(row),
    count(totals.users),
    expected(totals.expected),
    before === undefined ? '' : change(totals.expected - before.expected),
    percent(meanScore(totals) ?? 0),
    publishedAt === undefined ? '' : momentIn(zone, publishedAt),
  ];
}

function windowLink({ href, label }: IndexRow): Part {
  return href === undefined ? label : link(href, label);
}
