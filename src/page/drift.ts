import type { DriftBin } from '../domain/feature-drift.ts';
import { MAJOR_PSI, STABLE_PSI } from '../domain/psi.ts';
import { draw, figure, shortened } from './chart.ts';
import { BAR_KEY, CIRCLE_KEY, ROW, shareRows } from './chart-parts.ts';
import { type Html, html, value } from './html.ts';
import { decimal, percent } from './numbers.ts';
import type { PageData, PageDrift } from './page-data.ts';
import { section } from './section.ts';
import { table } from './table.ts';
import { listed } from './words.ts';

/** Most features in the table, and most bins in a chart; the drift table has all. */
const MOST_FEATURES = 12;
const MOST_BINS = 14;

export function driftSection(data: PageData): Html {
  const { drift } = data;
  if (drift === undefined)
    return section({
      id: 'drift',
      heading: 'Does the data look like the training data?',
      body: html`<p>Not known: drift was not measured. The model bundle has no reference for its features, or the job has no drift table.</p>`,
    });
  const limited = drift.some(({ limit }) => limit !== undefined);
  const drawn = drift
    .flatMap((feature) => (feature.bins === undefined ? [] : [{ ...feature, bins: feature.bins }]))
    .slice(0, 3);
  return section({
    id: 'drift',
    heading: 'Does the data look like the training data?',
    body: html`<p>${summary(drift)}</p>
${table({
  caption: 'Drift of the features against the training data',
  columns: [
    { head: 'feature' },
    { head: 'PSI', numeric: true },
    { head: 'reading' },
    ...(limited ? [{ head: 'limit', numeric: true }] : []),
    { head: 'missing now', numeric: true },
    { head: 'missing in training', numeric: true },
  ],
  rows: drift
    .slice(0, MOST_FEATURES)
    .map(({ feature, psi, limit, nullShare, referenceNullShare }) => [
      value(shortened(feature, 60)),
      decimal(psi, 3),
      `${reading(psi)}${limit !== undefined && psi > limit ? ', over the limit' : ''}`,
      ...(limited ? [limit === undefined ? 'none' : decimal(limit, 2)] : []),
      percent(nullShare),
      percent(referenceNullShare),
    ]),
})}${drift.length > MOST_FEATURES ? html`<p class="note">${drift.length - MOST_FEATURES} features that drifted less are in the drift table.</p>` : undefined}
<div class="grid thirds">${drawn.map((feature, i) => driftFigure(data, feature, i))}</div>
`,
  });
}

function summary(drift: readonly PageDrift[]): Html {
  const names = (from: number, to: number) =>
    drift.filter(({ psi }) => psi >= from && psi < to).map(({ feature }) => shortened(feature, 60));
  const major = names(MAJOR_PSI, Number.POSITIVE_INFINITY);
  const moderate = names(STABLE_PSI, MAJOR_PSI);
  const rule = `The population stability index (PSI) says how far a feature's values are from those in training: below ${STABLE_PSI} is stable, from ${MAJOR_PSI} on a major shift.`;
  if (major.length + moderate.length === 0) return html`<b>Yes: all ${drift.length} are stable.</b> ${rule}`;
  const parts = [
    ...(major.length > 0 ? [html`<b>No: ${someOf(major)} shifted much</b>, so the scores may be off.`] : []),
    ...(moderate.length > 0
      ? [html` ${major.length === 0 ? html`<b>Mostly.</b> ` : ''}${someOf(moderate)} shifted somewhat.`]
      : []),
  ];
  return html`${parts} ${rule}`;
}

function someOf(names: readonly string[]): Html {
  const rest = names.length - 4;
  return html`<bdi>${listed(rest > 0 ? [...names.slice(0, 4), `${rest} more`] : names)}</bdi>`;
}

function reading(psi: number): string {
  if (psi < STABLE_PSI) return 'stable';
  return psi < MAJOR_PSI ? 'some shift' : 'major shift';
}

function driftFigure({ window }: PageData, { feature, psi, bins }: PageDrift & { bins: readonly DriftBin[] }, i: number): Html {
  const rows = bins.slice(0, MOST_BINS).map(({ name, now, reference }) => ({ name: binName(name), now, reference }));
  return figure({
    heading: html`${value(shortened(feature, 60))} (PSI ${decimal(psi, 3)})`,
    note: html`${BAR_KEY} ${window.label}, ${CIRCLE_KEY} training data${bins.length > MOST_BINS ? `; the first ${MOST_BINS} of ${bins.length} ranges` : ''}.`,
    chart: draw(
      {
        id: `drift-${i}`,
        title: `Values of ${feature} in ${window.label} and in training`,
        description: rows
          .slice(0, 6)
          .map((row) => `${row.name}: ${percent(row.now)}, in training ${percent(row.reference)}`)
          .join('; '),
        height: rows.length * ROW + 22,
      },
      shareRows(rows, 104),
    ),
    table: table({
      caption: `Values of ${shortened(feature, 60)}`,
      columns: [{ head: 'value' }, { head: window.label, numeric: true }, { head: 'training data', numeric: true }],
      rows: bins
        .slice(0, MOST_BINS)
        .map(({ name, now, reference }) => [
          value(name === NULLS ? 'missing' : shortened(name, 60)),
          percent(now),
          percent(reference),
        ]),
    }),
  });
}

/** The name of the bin of nulls; see `feature-drift.ts` of the domain. */
const NULLS = '(null)';

/** Four digits suffice for a chart; its table has all. */
function binName(name: string): string {
  if (name === NULLS) return 'missing';
  return shortened(
    name.replaceAll(/\d+\.\d+/g, (number) => String(Number(Number(number).toPrecision(4)))),
    16,
  );
}
