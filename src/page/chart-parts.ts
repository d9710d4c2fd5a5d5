import * as Plot from '@observablehq/plot';
import { keyMark } from './chart.ts';
import { html } from './html.ts';
import { decimal, percent } from './numbers.ts';

// Common parts of charts. Marks differ in shape, not only in colour: this window is a filled bar, the earlier one an upright
// stroke, the reference a circle.

export const BAR_KEY = keyMark(html`<rect class="k-now" x="0" y="2" width="22" height="8"/>`);
export const STROKE_KEY = keyMark(html`<path class="k-before" d="M11 0v12"/>`);
export const CIRCLE_KEY = keyMark(html`<circle class="k-reference" cx="11" cy="6" r="4"/>`);
export const DOT_KEY = keyMark(html`<path class="k-whisker" d="M1 6h20"/><circle class="k-now" cx="11" cy="6" r="4"/>`);

export const NOW = 'var(--now)';
export const INK = 'var(--ink)';
export const PAPER = 'var(--paper)';
const REFERENCE = 'var(--warm)';
const FAINT = 'var(--line)';
/** Row height in charts with rows. */
export const ROW = 19;

/** `10%`, `0.5%` */
export function axisPercent(share: number): string {
  return `${decimal(share * 100, Number.isInteger(Number((share * 100).toFixed(6))) ? 0 : 1)}%`;
}

/** A horizontal axis of shares below a chart with rows, with grid lines. */
export function shareAxis(ticks = 4): Plot.Markish[] {
  return [
    Plot.gridX({ ticks, stroke: FAINT, strokeOpacity: 1 }),
    Plot.axisX({ ticks, tickSize: 0, tickFormat: axisPercent, label: null }),
  ];
}

/** A vertical axis on the left, with grid lines. */
export function leftAxis(tickFormat: (value: number) => string, ticks = 4): Plot.Markish[] {
  return [Plot.gridY({ ticks, stroke: FAINT, strokeOpacity: 1 }), Plot.axisY({ ticks, tickSize: 0, tickFormat, label: null })];
}

interface Row {
  readonly name: string;
  readonly now: number;
  readonly before?: number | undefined;
  readonly reference?: number | undefined;
}

/** Shares by row: a bar for this window, a stroke for the earlier one, a circle for the reference; the share on the right. */
export function shareRows(rows: readonly Row[], marginLeft: number): Plot.PlotOptions {
  const most = Math.max(...rows.flatMap(({ now, before = 0, reference = 0 }) => [now, before, reference]), 0.01);
  const named = (key: 'before' | 'reference') => rows.filter((row) => row[key] !== undefined);
  return {
    marginLeft,
    marginRight: 50,
    marginTop: 2,
    marginBottom: 20,
    x: { domain: [0, most * 1.04] },
    y: { domain: rows.map((_, i) => i), padding: 0.12 },
    marks: [
      ...shareAxis(3),
      Plot.axisY({ tickSize: 0, tickFormat: (i: number) => rows[i]?.name ?? '', label: null }),
      Plot.barX(rows, { x: 'now', y: (_, i) => i, fill: NOW, insetTop: 2.5, insetBottom: 2.5 }),
      // The edge separates the stroke from the bar beneath it.
      ...[6, 2.5].map((strokeWidth) =>
        Plot.tickX(named('before'), {
          x: 'before',
          y: (row) => rows.indexOf(row),
          stroke: strokeWidth > 3 ? PAPER : INK,
          strokeWidth,
        }),
      ),
      Plot.dot(named('reference'), {
        x: 'reference',
        y: (row) => rows.indexOf(row),
        r: 3.5,
        fill: PAPER,
        stroke: REFERENCE,
        strokeWidth: 2,
      }),
      Plot.text(rows, {
        y: (_, i) => i,
        text: ({ now }: Row) => percent(now),
        frameAnchor: 'right',
        textAnchor: 'end',
        dx: 48,
      }),
    ],
  };
}
