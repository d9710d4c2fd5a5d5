import { bandNames, bandRule, firstBandMeaning } from './band-words.ts';
import { ALL, bandKey, bandsChart, usersIn } from './bands-chart.ts';
import { meanScore } from './change.ts';
import { figure, shortened } from './chart.ts';
import { groupSmall, MOST_VALUES, otherLabel } from './grouping.ts';
import { type Html, html, value } from './html.ts';
import { count, expected, percent } from './numbers.ts';
import type { BandCount, PageData, SegmentBands } from './page-data.ts';
import { section } from './section.ts';
import { table } from './table.ts';
import { capitalized, listed } from './words.ts';

/** Most segments to show; the summary table has all. */
const MOST_SEGMENTS = 4;

export function bandsSection(data: PageData): Html {
  const { bands, bandRules, job } = data;
  const all = bands.find(({ segment }) => segment === ALL);
  const segments = [...new Set(bands.map(({ segment }) => segment))].filter((segment) => segment !== ALL);
  const shown = segments.slice(0, MOST_SEGMENTS);
  const rows = shown.map((segment) => segmentRows(data, segment));
  const left = segments.length - shown.length;
  return section({
    id: 'bands',
    heading: 'What the bands mean, and who is in them',
    body: html`<p>“<b>${bandRules.bounds[0]?.name}</b>” is ${firstBandMeaning(bandRules, job.nouns)}. ${bandMeans(data, all)}</p>
<div class="grid">${shown.map((segment, i) => segmentFigure(data, { id: `bands-${i}`, segment, rows: [...(all ? [all] : []), ...(rows[i] ?? [])] }))}
${shown.length === 0 && all ? segmentFigure(data, { id: 'bands-0', segment: undefined, rows: [all] }) : undefined}</div>
${left > 0 ? html`<p class="note">${left} more ${left === 1 ? 'segment is' : 'segments are'} in the summary table only.</p>` : undefined}`,
  });
}

/** `Mean scores: high 88.3%, medium 87.6% and low 81.9%.` */
function bandMeans({ bandRules }: PageData, all: SegmentBands | undefined): Html | undefined {
  const means = bandNames(bandRules).flatMap((name) => {
    const mean = meanScore(all?.bands.find(({ band }) => band === name) ?? { users: 0, expected: 0 });
    return mean === undefined ? [] : [`${name} ${percent(mean)}`];
  });
  return means.length === 0 ? undefined : html`Mean scores: ${listed(means)}.`;
}

/** The values of a segment, with small ones combined in one row. */
function segmentRows({ bands, job }: PageData, segment: string): SegmentBands[] {
  const values = bands.filter((one) => one.segment === segment);
  const { shown, rest } = groupSmall(values, { minCell: job.minCell, most: MOST_VALUES, users: ({ users }) => users });
  return rest.length === 0 ? [...shown] : [...shown, { ...added(rest), segment, value: otherLabel(rest.length) }];
}

function added(rest: readonly SegmentBands[]): Pick<SegmentBands, 'users' | 'expected' | 'bands'> {
  const bands = new Map<string, BandCount>();
  for (const one of rest.flatMap((row) => row.bands)) {
    const { users = 0, expected = 0 } = bands.get(one.band) ?? {};
    bands.set(one.band, { band: one.band, users: users + one.users, expected: expected + one.expected });
  }
  const sum = (key: 'users' | 'expected') => rest.reduce((total, row) => total + row[key], 0);
  return { users: sum('users'), expected: sum('expected'), bands: [...bands.values()] };
}

interface Segment {
  readonly id: string;
  readonly segment: string | undefined;
  readonly rows: readonly SegmentBands[];
}

function segmentFigure(data: PageData, { id, segment, rows }: Segment): Html {
  const names = bandNames(data.bandRules);
  const { minCell, nouns } = data.job;
  const caption =
    segment === undefined ? `${capitalized(nouns.many)} by band` : `${capitalized(nouns.many)} by ${segment} and band`;
  const grouped = rows.some(({ value: one }) => /^other \(/.test(one));
  return figure({
    heading: html`${segment === undefined ? caption : html`Bands by ${value(segment)}`}`,
    note: html`Share of each row in ${names.map((name, i) => html`${i === 0 ? '' : ', '}<span class="nowrap">${bandKey(i, names.length)} ${value(name)}</span>`)}.${
      grouped
        ? ` Values with fewer than ${minCell} ${nouns.many}, and those after the ${MOST_VALUES} largest, are grouped.`
        : ''
    }`,
    chart: bandsChart({ id, title: `Share per band, ${caption}, in ${data.window.label}`, many: nouns.many, names, rows }),
    table: table({
      caption,
      columns: [
        { head: segment === undefined ? '' : value(segment) },
        { head: nouns.many, numeric: true },
        { head: 'expected', numeric: true },
        { head: 'mean score', numeric: true },
        ...names.map((name) => ({ head: html`${value(name)} (${bandRule(data.bandRules, name)})`, numeric: true })),
      ],
      rows: rows.map((row) => [
        value(shortened(row.value, 80)),
        count(row.users),
        expected(row.expected),
        percent(meanScore(row) ?? 0),
        ...names.map((name) => count(usersIn(row, name))),
      ]),
    }),
  });
}
