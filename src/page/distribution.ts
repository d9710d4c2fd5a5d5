import { draw, figure } from './chart.ts';
import { BAR_KEY, CIRCLE_KEY, ROW, STROKE_KEY, shareRows } from './chart-parts.ts';
import { type Html, html } from './html.ts';
import { percent } from './numbers.ts';
import type { PageData } from './page-data.ts';
import { table } from './table.ts';
import { capitalized } from './words.ts';

type Distribution = PageData['distribution'];

/** How many users have which score, compared with the earlier window and the training data. */
export function distributionFigure({ distribution, before, window, job }: PageData): Html {
  const { now, reference } = distribution;
  const many = capitalized(job.nouns.many);
  const bins = now.map((_, i) => now.length - 1 - i);
  const rows = bins.map((bin) => ({
    name: binName(distribution.edges, bin),
    now: now[bin] ?? 0,
    before: distribution.before?.[bin],
    reference: reference?.[bin],
  }));
  const against = [
    ...(before && distribution.before ? [html`${STROKE_KEY} ${before.label}`] : []),
    ...(reference ? [html`${CIRCLE_KEY} training data`] : []),
  ];
  const heads = [
    window.label,
    ...(distribution.before ? [before?.label ?? 'before'] : []),
    ...(reference ? ['training data'] : []),
  ];
  return figure({
    heading: `${many} by score`,
    note: html`Share with a score in each range: ${BAR_KEY} ${window.label}${against.map((one) => html`, ${one}`)}.${evenness(reference)}`,
    chart: draw(
      {
        id: 'distribution',
        title: `${many} by score in ${window.label}`,
        description: rows.map((row) => `${row.name}: ${percent(row.now)}`).join('; '),
        height: rows.length * ROW + 22,
      },
      shareRows(rows, 92),
    ),
    table: table({
      caption: `${many} by score`,
      columns: [{ head: 'score' }, ...heads.map((head) => ({ head, numeric: true }))],
      rows: rows.map((row) => [
        row.name,
        percent(row.now),
        ...(distribution.before ? [percent(row.before ?? 0)] : []),
        ...(reference ? [percent(row.reference ?? 0)] : []),
      ]),
    }),
  });
}

/** Explains bars of about equal length: the edges of a bundle's reference are its deciles. */
function evenness(reference: Distribution['reference']): string {
  if (reference === undefined || Math.max(...reference) - Math.min(...reference) > 0.03) return '';
  return ` Each range holds about ${percent(1 / reference.length, 0)} of the training data, so bars that end at the circles mean that nothing shifted.`;
}

/** `under 77.1%`, `77.1–79.8%`, `from 88.9%` */
function binName(edges: Distribution['edges'], bin: number): string {
  const low = edges[bin - 1];
  const high = edges[bin];
  const digits = edgeDigits(edges);
  if (low === undefined) return high === undefined ? 'all' : `under ${percent(high, digits)}`;
  return high === undefined ? `from ${percent(low, digits)}` : `${percent(low, digits).slice(0, -1)}–${percent(high, digits)}`;
}

/** As many digits as it takes to distinguish neighbouring edges. */
function edgeDigits(edges: readonly number[]): number {
  const apart = (digits: number) => new Set(edges.map((edge) => percent(edge, digits))).size === new Set(edges).size;
  return [0, 1, 2, 3].find(apart) ?? 4;
}
