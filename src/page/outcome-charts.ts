import * as Plot from '@observablehq/plot';
import { draw, figure } from './chart.ts';
import { axisPercent, DOT_KEY, INK, leftAxis, NOW, PAPER, ROW, shareAxis } from './chart-parts.ts';
import { shortLabel } from './dates.ts';
import { type Html, html } from './html.ts';
import { wilson } from './interval.ts';
import { count, decimal, measure, percent } from './numbers.ts';
import type { Evaluated, OutcomeData } from './page-data.ts';
import { type Column, table } from './table.ts';
import type { Nouns } from './words.ts';

const SOFT = 'var(--soft)';

/** The outcomes of each tenth of the scores. */
export function decilesFigure({ newest, deciles }: OutcomeData, nouns: Nouns): Html {
  const overall = newest.positives / newest.users;
  const rows = deciles
    .filter(({ users }) => users > 0)
    .map((one) => {
      const [low, high] = wilson(one.positives, one.users);
      return { ...one, share: one.positives / one.users, low, high };
    });
  const y = ({ decile }: (typeof rows)[number]) => decile;
  const domain = padded(rows.flatMap(({ low, high }) => [low, high]));
  return figure({
    heading: html`Who did ${nouns.outcome}, by tenth of the score`,
    note: html`${DOT_KEY} share with 95% interval. Dashed line: all, ${percent(overall)}.`,
    chart: draw(
      {
        id: 'deciles',
        title: `Share of ${nouns.many} that did ${nouns.outcome}, by tenth of the score, in ${newest.label}`,
        description: rows.map((row) => `tenth ${row.decile}: ${percent(row.share)}`).join('; '),
        height: rows.length * ROW + 24,
      },
      {
        marginLeft: 86,
        marginRight: 14,
        marginTop: 2,
        marginBottom: 20,
        x: { domain },
        y: { domain: rows.map(({ decile }) => decile), type: 'point', padding: 0.5 },
        marks: [
          ...shareAxis(4),
          Plot.axisY({ tickSize: 0, tickFormat: (decile: number) => decileName(decile, rows.length), label: null }),
          Plot.ruleX([overall], { stroke: INK, strokeDasharray: '4 3' }),
          Plot.ruleY(rows, { y, x1: 'low', x2: 'high', stroke: NOW, strokeWidth: 1.5 }),
          Plot.dot(rows, { x: 'share', y, r: 4, fill: NOW }),
        ],
      },
    ),
    table: table({
      caption: `Outcome by tenth of the score, ${newest.label}`,
      columns: [
        { head: 'tenth', numeric: true },
        { head: nouns.many, numeric: true },
        { head: `did ${nouns.outcome}`, numeric: true },
        { head: 'share', numeric: true },
        { head: 'lift', numeric: true },
        { head: 'captured', numeric: true },
      ],
      rows: rows.map(({ decile, users, positives, share }) => [
        decile,
        count(users),
        count(positives),
        percent(share),
        overall === 0 ? '–' : decimal(share / overall, 2),
        newest.positives === 0 ? '–' : percent(captured(deciles, decile) / newest.positives),
      ]),
    }),
  });
}

/** Number of positives down to a tenth. */
export function captured(deciles: OutcomeData['deciles'], down: number): number {
  return deciles.filter(({ decile }) => decile <= down).reduce((sum, { positives }) => sum + positives, 0);
}

/** Whether scores match the outcomes. */
export function calibrationFigure({ newest, calibration }: OutcomeData, nouns: Nouns): Html {
  const bins = calibration
    .filter(({ users }) => users > 0)
    .map((bin) => {
      const [low, high] = wilson(bin.positives, bin.users);
      return { ...bin, share: bin.positives / bin.users, low, high };
    });
  const domain = padded(bins.flatMap(({ low, high, meanScore }) => [low, high, meanScore]));
  const ends = domain.map((at) => ({ at }));
  return figure({
    heading: 'What the scores said, and what came true',
    note: html`${DOT_KEY} a tenth of the ${nouns.many}, with 95% interval. On the dashed line, scores are exactly right.`,
    chart: draw(
      {
        id: 'calibration',
        title: `Mean score and share that came true, in ${newest.label}`,
        description: bins.map((bin) => `score ${percent(bin.meanScore)}: ${percent(bin.share)}`).join('; '),
        height: 10 * ROW + 24,
      },
      {
        marginLeft: 48,
        marginRight: 14,
        marginTop: 20,
        marginBottom: 38,
        x: { domain },
        y: { domain },
        marks: [
          ...shareAxis(4),
          ...leftAxis(axisPercent),
          Plot.line(ends, { x: 'at', y: 'at', stroke: INK, strokeDasharray: '4 3' }),
          Plot.ruleX(bins, { x: 'meanScore', y1: 'low', y2: 'high', stroke: NOW, strokeWidth: 1.5 }),
          Plot.dot(bins, { x: 'meanScore', y: 'share', r: 4, fill: NOW, stroke: PAPER }),
          Plot.text(['came true'], {
            text: (text) => text,
            frameAnchor: 'top-left',
            textAnchor: 'start',
            dx: -44,
            dy: -14,
            fill: SOFT,
          }),
          Plot.text(['mean score'], {
            text: (text) => text,
            frameAnchor: 'bottom-right',
            textAnchor: 'end',
            dy: 30,
            fill: SOFT,
          }),
        ],
      },
    ),
    table: table({
      caption: `Calibration, ${newest.label}`,
      columns: [
        { head: 'mean score', numeric: true },
        { head: 'came true', numeric: true },
        { head: nouns.many, numeric: true },
      ],
      rows: bins.map(({ meanScore, share, users }) => [percent(meanScore), percent(share), count(users)]),
    }),
  });
}

/** How good the ranking was, window by window. */
export function aucFigure(series: readonly Evaluated[], nouns: Nouns): Html {
  const rows = series.flatMap((one) => (one.auc === undefined ? [] : [{ ...one, auc: one.auc }]));
  const ranges = rows.flatMap((one) =>
    one.aucInterval ? [{ label: one.label, low: one.aucInterval[0], high: one.aucInterval[1] }] : [],
  );
  const anyInSample = rows.some(({ inSample }) => inSample);
  const domain = padded([0.5, ...rows.map(({ auc }) => auc), ...ranges.flatMap(({ low, high }) => [low, high])]);
  return figure({
    heading: 'The ranking by score, by window',
    note: html`${DOT_KEY} AUC with 95% interval. Dashed line: chance, 0.5.${anyInSample ? ' Empty circles: the model was trained on these windows.' : ''}`,
    chart: draw(
      {
        id: 'auc',
        title: 'AUC by window',
        description: rows
          .map(({ label, auc, inSample }) => `${label}: ${measure(auc)}${inSample ? ', in-sample' : ''}`)
          .join('; '),
        height: Math.max(4, rows.length) * ROW + 24,
      },
      {
        marginLeft: 60,
        marginRight: 44,
        marginTop: 2,
        marginBottom: 20,
        x: { domain },
        y: { domain: rows.map(({ label }) => label), type: 'point', padding: 0.5 },
        marks: [
          Plot.gridX({ ticks: 4, stroke: 'var(--line)', strokeOpacity: 1 }),
          Plot.axisX({ ticks: 4, tickSize: 0, tickFormat: (auc: number) => decimal(auc, 2), label: null }),
          Plot.axisY({ tickSize: 0, tickFormat: shortLabel, label: null }),
          Plot.ruleX([0.5], { stroke: INK, strokeDasharray: '4 3' }),
          Plot.ruleY(ranges, { y: 'label', x1: 'low', x2: 'high', stroke: NOW, strokeWidth: 1.5 }),
          Plot.dot(rows, {
            x: 'auc',
            y: 'label',
            r: 4,
            fill: ({ inSample }) => (inSample ? PAPER : NOW),
            stroke: NOW,
            strokeWidth: 1.5,
          }),
          Plot.text(rows, { y: 'label', text: ({ auc }) => measure(auc), frameAnchor: 'right', textAnchor: 'end', dx: 42 }),
        ],
      },
    ),
    table: table({
      caption: 'Evaluations by window',
      columns: evaluationColumns('window', nouns),
      rows: series.toReversed().map((one) => evaluationCells(`${one.label}${one.inSample ? ' (in-sample)' : ''}`, one)),
    }),
  });
}

/** Columns of a table of evaluations; see `evaluationCells`. @param first heading of the rows' names */
export function evaluationColumns(first: string, nouns: Nouns): Column[] {
  const measures = [nouns.many, 'expected', 'came true', 'AUC', '95% interval', 'average precision', 'Brier score'];
  return [{ head: first }, ...measures.map((head) => ({ head, numeric: true }))];
}

export function evaluationCells(name: string, one: Evaluated): string[] {
  return [
    name,
    count(one.users),
    percent(one.meanScore),
    one.users === 0 ? '–' : percent(one.positives / one.users),
    one.auc === undefined ? '–' : measure(one.auc),
    one.aucInterval === undefined ? '–' : `${measure(one.aucInterval[0])} to ${measure(one.aucInterval[1])}`,
    one.averagePrecision === undefined ? '–' : measure(one.averagePrecision),
    measure(one.brier),
  ];
}

function decileName(decile: number, deciles: number): string {
  if (decile === 1) return '1 (riskiest)';
  return decile === deciles ? `${decile} (least)` : String(decile);
}

/** From slightly below the minimum to slightly above the maximum, within 0 to 1, so that marks at the ends are complete. */
function padded(values: readonly number[]): [low: number, high: number] {
  const low = Math.min(...values, 1);
  const high = Math.max(...values, 0);
  const room = Math.max(0.02, (high - low) * 0.06);
  return [Math.max(-0.02, low - room), Math.min(1.02, high + room)];
}
