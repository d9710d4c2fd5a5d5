import * as Plot from '@observablehq/plot';
import { draw, shortened } from './chart.ts';
import { INK, NOW, PAPER, ROW } from './chart-parts.ts';
import { type Html, html } from './html.ts';
import { count, percent } from './numbers.ts';
import type { SegmentBands } from './page-data.ts';

/** The segment whose single value is all users. */
export const ALL = 'all';

interface BandsChart {
  readonly id: string;
  readonly title: string;
  /** Noun for the users, in the plural. */
  readonly many: string;
  readonly names: readonly string[];
  readonly rows: readonly SegmentBands[];
}

/** One bar per value, divided into the bands. */
export function bandsChart({ id, title, many, names, rows }: BandsChart): Html {
  const parts = rows.flatMap((row, i) => {
    let from = 0;
    return names.flatMap((name, band) => {
      const share = usersIn(row, name) / Math.max(1, row.users);
      from += share;
      return share === 0 ? [] : [{ row: i, band, share, from: from - share, to: from }];
    });
  });
  return draw(
    {
      id,
      title,
      description: rows
        .slice(0, 4)
        .map(
          (row) =>
            `${shortened(row.value, 30)}: ${names.map((name) => `${name} ${percent(usersIn(row, name) / Math.max(1, row.users), 0)}`).join(', ')}`,
        )
        .join('; '),
      height: rows.length * (ROW + 3) + 20,
      className: 'bands',
    },
    {
      marginLeft: 104,
      marginRight: 46,
      marginTop: 16,
      marginBottom: 4,
      x: { domain: [0, 1], axis: null },
      y: { domain: rows.map((_, i) => i), padding: 0.22 },
      marks: [
        Plot.axisY({
          tickSize: 0,
          tickFormat: (i: number) => shortened(i === 0 && rows[i]?.segment === ALL ? 'all' : (rows[i]?.value ?? ''), 14),
          label: null,
        }),
        ...names.map((_, band) =>
          Plot.barX(
            parts.filter((part) => part.band === band),
            {
              x1: 'from',
              x2: 'to',
              y: 'row',
              fill: bandFill(band, names.length),
              stroke: NOW,
              strokeWidth: 1,
              insetLeft: 0.5,
              insetRight: 0.5,
            },
          ),
        ),
        ...[true, false].map((first) =>
          Plot.text(
            parts.filter(({ share, band }) => share >= 0.13 && (band === 0) === first),
            {
              x: ({ from, to }) => (from + to) / 2,
              y: 'row',
              text: ({ share }) => percent(share, 0),
              fill: first ? PAPER : INK,
              ...(first ? {} : { stroke: PAPER, strokeWidth: 4 }),
            },
          ),
        ),
        Plot.text(rows, { y: (_, i) => i, text: ({ users }) => count(users), frameAnchor: 'right', textAnchor: 'end', dx: 44 }),
        Plot.text([shortened(many, 24)], {
          text: (text) => text,
          frameAnchor: 'top-right',
          textAnchor: 'end',
          dx: 44,
          dy: -14,
        }),
      ],
    },
  );
}

/** The first band is filled, the last is empty, those between are hatched, each wider than the one before. */
function bandFill(band: number, bands: number): string {
  if (band === bands - 1) return PAPER;
  return band === 0 ? NOW : `url(#hatch-${Math.min(band, 3)})`;
}

/** The band's mark, for the note. */
export function bandKey(band: number, bands: number): Html {
  const style = band === bands - 1 ? 'k-empty' : band === 0 ? 'k-now' : `k-hatch-${Math.min(band, 3)}`;
  return html`<svg class="key" viewBox="0 0 22 12" width="22" height="12" aria-hidden="true"><rect class="${style}" x="1" y="1" width="20" height="10"/></svg>`;
}

/** Patterns of the bands, once per page. */
export const HATCHES: Html = html`<svg class="defs" width="0" height="0" aria-hidden="true"><defs>${[1, 2, 3].map(
  (n) =>
    html`<pattern id="hatch-${n}" width="${2 + 3 * n}" height="${2 + 3 * n}" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="k-hatch" d="M0 0V${2 + 3 * n}"/></pattern>`,
)}</defs></svg>
`;

export function usersIn(row: SegmentBands, name: string): number {
  return row.bands.find(({ band }) => band === name)?.users ?? 0;
}
