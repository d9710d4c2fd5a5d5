// A line chart as SVG text: a panel per measure, all with the same horizontal axis in powers of ten.

/** A panel of the chart, for points of type `P`. */
export interface Panel<P> {
  readonly title: string;
  /** The value of a point; undefined if it has none. */
  readonly pick: (point: P) => number | undefined;
}

export interface Series<P> {
  readonly name: string;
  readonly points: readonly P[];
}

/** Position of a point on the horizontal axis. */
export interface Point {
  readonly x: number;
}

const PANEL = { width: 420, height: 280, left: 64, right: 32, top: 40, bottom: 48 };
const LEGEND_LINE = 20;
const TICKS = 5;
/** Distinguishable for colour-blind people (Okabe and Ito). */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000', '#888888'];

/**
 * @param xTitle what the horizontal axis counts
 * @throws RangeError if there are no points
 */
export function drawLines<P extends Point>(panels: readonly Panel<P>[], series: readonly Series<P>[], xTitle: string): string {
  const xs = [...new Set(series.flatMap(({ points }) => points.map(({ x }) => x)))].sort((a, b) => a - b);
  if (xs.length === 0) throw new RangeError('there is nothing to draw');
  const width = panels.length * PANEL.width;
  const height = PANEL.height + series.length * LEGEND_LINE + LEGEND_LINE;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<title>${panels.map(({ title }) => title).join(' and ')} by ${xTitle}</title>`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    ...panels.map((panel, i) => group(i * PANEL.width, 0, drawPanel(panel, series, xs, xTitle))),
    ...series.map(({ name }, i) => group(PANEL.left, PANEL.height + (i + 1) * LEGEND_LINE, drawKey(name, i))),
    '</svg>',
    '',
  ].join('\n');
}

function drawPanel<P extends Point>(
  { title, pick }: Panel<P>,
  series: readonly Series<P>[],
  xs: readonly number[],
  xTitle: string,
): string[] {
  const values = series.flatMap(({ points }) => points.map(pick)).filter((value) => value !== undefined);
  const step = roundStep(Math.max(...values, Number.MIN_VALUE) / TICKS);
  const most = Math.ceil(Math.max(...values, step) / step) * step;
  const [low, high] = [Math.log10(xs[0] ?? 1), Math.log10(xs.at(-1) ?? 1)];
  const inner = { width: PANEL.width - PANEL.left - PANEL.right, height: PANEL.height - PANEL.top - PANEL.bottom };
  const x = (value: number) => PANEL.left + (high === low ? 0.5 : (Math.log10(value) - low) / (high - low)) * inner.width;
  const y = (value: number) => PANEL.top + (1 - value / most) * inner.height;
  const ticks = Array.from({ length: Math.round(most / step) + 1 }, (_, i) => i * step);
  return [
    text(PANEL.left, PANEL.top - 16, title, 'font-weight="bold"'),
    ...ticks.flatMap((tick) => [
      `<line x1="${PANEL.left}" x2="${PANEL.width - PANEL.right}" y1="${at(y(tick))}" y2="${at(y(tick))}" stroke="#dddddd"/>`,
      text(PANEL.left - 8, y(tick) + 4, short(tick), 'text-anchor="end"'),
    ]),
    ...xs.map((value) => text(x(value), PANEL.height - PANEL.bottom + 18, short(value), 'text-anchor="middle"')),
    text(PANEL.left + inner.width / 2, PANEL.height - 10, xTitle, 'text-anchor="middle"'),
    ...series.flatMap(({ points }, i) => {
      const places = [...points]
        .sort((a, b) => a.x - b.x)
        .flatMap((point) => {
          const value = pick(point);
          return value === undefined ? [] : [[at(x(point.x)), at(y(value))]];
        });
      return [
        `<polyline points="${places.map((place) => place.join(',')).join(' ')}" fill="none" stroke="${colour(i)}" stroke-width="2"/>`,
        ...places.map(([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="3" fill="${colour(i)}"/>`),
      ];
    }),
  ];
}

function drawKey(name: string, i: number): string[] {
  return [`<line x1="0" x2="24" y1="-4" y2="-4" stroke="${colour(i)}" stroke-width="3"/>`, text(32, 0, name)];
}

function group(x: number, y: number, parts: readonly string[]): string {
  return `<g transform="translate(${x},${y})">\n${parts.join('\n')}\n</g>`;
}

function text(x: number, y: number, value: string, attributes = ''): string {
  const escaped = value.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${at(x)}" y="${at(y)}" fill="#222222"${attributes && ` ${attributes}`}>${escaped}</text>`;
}

function colour(i: number): string {
  return COLOURS[i % COLOURS.length] ?? '#000000';
}

function at(value: number): number {
  return Number(value.toFixed(1));
}

/** 1, 2 or 5 times a power of ten, at least `least`. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((times) => times * power).find((step) => step >= least * 0.9999) ?? 10 * power;
}

function short(value: number): string {
  if (value >= 1e6) return `${Number((value / 1e6).toFixed(1))}M`;
  return value >= 1e4 ? `${Number((value / 1e3).toFixed(1))}k` : String(Number(value.toFixed(3)));
}
