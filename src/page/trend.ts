import * as Plot from '@observablehq/plot';
import { meanScore } from './change.ts';
import { draw, figure, keyMark } from './chart.ts';
import { axisPercent, INK, leftAxis, NOW, PAPER } from './chart-parts.ts';
import { shortLabel } from './dates.ts';
import { type Html, html, type Part } from './html.ts';
import { count, expected, percent } from './numbers.ts';
import type { Totals, TrendPoint } from './page-data.ts';
import { table } from './table.ts';
import { capitalized, type Nouns } from './words.ts';

const OUTLINE_KEY = keyMark(html`<rect class="k-empty" x="1" y="1" width="20" height="10"/>`);
const FILLED_KEY = keyMark(html`<rect class="k-now" x="1" y="1" width="20" height="10"/>`);
const HEIGHT = 170;
const MARGINS = { marginTop: 18, marginBottom: 20, marginLeft: 48, marginRight: 10 };

/** Users, and how many of them are expected to have the outcome, per window. */
export function usersTrend(points: readonly TrendPoint[], nouns: Nouns): Html {
  const known = withTotals(points);
  const last = known.at(-1);
  return figure({
    heading: html`${capitalized(nouns.many)}, and how many are expected to ${nouns.outcome}`,
    note: html`${OUTLINE_KEY} all, ${FILLED_KEY} expected to ${nouns.outcome}.`,
    chart: draw(
      {
        id: 'trend-users',
        title: `${nouns.many} per window, and how many of them are expected to ${nouns.outcome}`,
        description:
          last === undefined
            ? 'Nothing is published.'
            : `${last.label}: ${count(last.totals.users)}, of them ${expected(last.totals.expected)}.`,
        height: HEIGHT,
      },
      {
        ...MARGINS,
        x: { domain: points.map(({ label }) => label), padding: points.length > 60 ? 0.1 : points.length < 4 ? 0.7 : 0.25 },
        y: { domain: [0, Math.max(1, ...known.map(({ totals }) => totals.users))] },
        marks: [
          ...leftAxis(count),
          Plot.barY(known, { x: 'label', y: ({ totals }) => totals.users, fill: PAPER, stroke: NOW }),
          Plot.barY(known, { x: 'label', y: ({ totals }) => totals.expected, fill: NOW }),
          ...labelAxis(points),
          ...gapMarks(points),
        ],
      },
    ),
    table: trendTable(points, nouns),
  });
}

/** Mean score per window, on its own scale. */
export function scoreTrend(points: readonly TrendPoint[], nouns: Nouns): Html {
  const means = points.map(({ label, totals }) => ({ label, mean: totals && meanScore(totals) }));
  const known = means.flatMap(({ label, mean }) => (mean === undefined ? [] : [{ label, mean }]));
  const last = known.at(-1);
  const domain = roomy(known.map(({ mean }) => mean));
  return figure({
    heading: html`Share expected to ${nouns.outcome} (mean score)`,
    note: `The scale runs from ${axisPercent(domain[0])} to ${axisPercent(domain[1])}, not from 0.`,
    chart: draw(
      {
        id: 'trend-score',
        title: `Mean score per window`,
        description: last === undefined ? 'Nothing is published.' : `${last.label}: ${percent(last.mean)}.`,
        height: HEIGHT,
      },
      {
        ...MARGINS,
        marginRight: 24,
        x: { type: 'point', domain: points.map(({ label }) => label), padding: 0.5 },
        y: { domain },
        marks: [
          ...leftAxis(axisPercent),
          Plot.lineY(means, { x: 'label', y: ({ mean }) => mean ?? Number.NaN, stroke: NOW, strokeWidth: 2 }),
          ...(points.length > 60 ? [] : [Plot.dot(known, { x: 'label', y: 'mean', r: 3, fill: NOW })]),
          Plot.text(known.slice(-1), {
            x: 'label',
            y: 'mean',
            text: ({ mean }) => percent(mean),
            dy: -12,
            fill: INK,
            stroke: PAPER,
            strokeWidth: 4,
            fontWeight: 600,
          }),
          ...labelAxis(points),
          ...gapMarks(points),
        ],
      },
    ),
    table: table({
      caption: 'Mean score per window',
      columns: [{ head: 'window' }, { head: 'mean score', numeric: true }],
      rows: means.toReversed().map(({ label, mean }) => [label, mean === undefined ? 'no scores' : percent(mean)]),
    }),
  });
}

/** A line without axes, for a headline figure; a dot marks its end. */
export function sparkline(id: string, title: string, values: readonly (number | undefined)[]): Html {
  const points = values.map((value, i) => ({ i, value: value ?? Number.NaN }));
  const known = points.filter(({ value }) => !Number.isNaN(value));
  return draw(
    {
      id,
      title,
      description: `The last ${known.length} values; the numbers are in the tables below.`,
      width: 120,
      height: 30,
      className: 'spark',
    },
    {
      margin: 4,
      marginRight: 6,
      axis: null,
      x: { domain: [0, Math.max(1, values.length - 1)] },
      y: { domain: roomy(known.map(({ value }) => value)) },
      marks: [
        Plot.lineY(points, { x: 'i', y: 'value', stroke: NOW, strokeWidth: 1.5 }),
        // A value between two gaps gets a dot, because it makes no line.
        Plot.dot(known.slice(0, -1), { x: 'i', y: 'value', r: 1.2, fill: NOW }),
        Plot.dot(known.slice(-1), { x: 'i', y: 'value', r: 3, fill: NOW }),
      ],
    },
  );
}

function trendTable(points: readonly TrendPoint[], nouns: Nouns): Html {
  return table({
    caption: `${capitalized(nouns.many)} per window`,
    columns: [
      { head: 'window' },
      { head: nouns.many, numeric: true },
      { head: 'expected', numeric: true },
      { head: 'mean score', numeric: true },
    ],
    rows: points.toReversed().map(({ label, totals }) => [label, ...totalsCells(totals)]),
  });
}

function totalsCells(totals: Totals | undefined): Part[] {
  if (totals === undefined) return ['no scores', '', ''];
  return [count(totals.users), expected(totals.expected), percent(meanScore(totals) ?? 0)];
}

function withTotals(points: readonly TrendPoint[]): { label: string; totals: Totals }[] {
  return points.flatMap(({ label, totals }) => (totals === undefined ? [] : [{ label, totals }]));
}

/** As many labels as fit side by side; the last window always has one. */
function labelAxis(points: readonly TrendPoint[]): Plot.Markish[] {
  const widest = Math.max(...points.map(({ label }) => shortLabel(label).length), 1);
  const every = Math.ceil((points.length * (widest * 7.5 + 8)) / 262);
  const ticks = points.map(({ label }) => label).filter((_, i) => (points.length - 1 - i) % every === 0);
  return [Plot.axisX({ ticks, tickSize: 0, tickFormat: shortLabel, label: null })];
}

/** Marks gaps explicitly. */
function gapMarks(points: readonly TrendPoint[]): Plot.Markish[] {
  if (points.length > 30) return [];
  const gaps = points.filter(({ totals }) => totals === undefined);
  return [
    Plot.text(gaps, {
      x: 'label',
      text: () => 'no scores',
      frameAnchor: 'bottom',
      rotate: -90,
      textAnchor: 'start',
      dy: -4,
      fill: 'var(--soft)',
    }),
  ];
}

/** A range around the values, at most 0 to 1 for shares. */
function roomy(values: readonly number[]): [low: number, high: number] {
  if (values.length === 0) return [0, 1];
  const low = Math.min(...values);
  const high = Math.max(...values);
  const shares = low >= 0 && high <= 1;
  const step = shares ? 0.01 : 1;
  const room = Math.max((high - low) * 0.25, shares ? 0.02 : 1);
  const floor = Math.floor((low - room) / step) * step;
  const ceiling = Math.ceil((high + room) / step) * step;
  return shares ? [round(Math.max(0, floor)), round(Math.min(1, ceiling))] : [round(floor), round(ceiling)];
}

function round(value: number): number {
  return Number(value.toFixed(6));
}
