import type { Comparison, ComparisonSide, OutcomeMeasures } from '../domain/comparison.ts';
import { grouped } from '../domain/counted.ts';
import type { JobDefinition } from '../job/schema.ts';
import { draw, figure } from '../page/chart.ts';
import { BAR_KEY, ROW, STROKE_KEY, shareRows } from '../page/chart-parts.ts';
import { htmlDocument } from '../page/document.ts';
import { type Html, html, type Part, value } from '../page/html.ts';
import { section } from '../page/section.ts';
import { table } from '../page/table.ts';
import type { CheckedLimit } from './comparison.ts';
import { percent, score, sentencesOf, showLimit, signed } from './sentences.ts';

type Report = Pick<JobDefinition['report'], 'page_keys'>;

/** A comparison as a self-contained HTML file. Keys are shown only if the job's report may show them. */
export function comparisonPage(comparison: Comparison, limits: readonly CheckedLimit[], report: Report): string {
  const { a, b } = comparison;
  const [first = '', second = first] = sentencesOf(comparison);
  const headline = (comparison.differences === null ? first : second).replace(/\.$/, '');
  return htmlDocument({
    title: `${a.job}: ${a.name} and ${b.name}`,
    header: html`<p class="kicker">${value(a.job)} · A is ${value(a.name)}, B is ${value(b.name)}</p>
<h1>${headline}</h1>
`,
    main: [
      html`<section id="summary" aria-label="The comparison in sentences">${sentencesOf(comparison).map(
        (one) => html`<p>${one}</p>
`,
      )}${comparison.notes.map(
        (note) => html`<p class="note">Note: ${note}.</p>
`,
      )}</section>
`,
      limitsSection(limits),
      html`<div class="pair">`,
      section({ id: 'scores', heading: 'Scores', body: [distribution(comparison), quantiles(comparison)] }),
      bandsSection(comparison),
      html`</div>`,
      outcomesSection(comparison),
      largestSection(comparison, report),
      section({
        id: 'sides',
        heading: 'What was compared',
        body: table({
          caption: 'The two sides',
          columns: ['side', 'window', 'run', 'rows', 'model', 'digest', 'users'].map((head, i) => ({ head, numeric: i === 6 })),
          rows: [sideRow('A', a), sideRow('B', b)],
        }),
      }),
    ],
    footer: html`<p>Differences are B − A. Users tied at the border of the riskiest tenth count in part, alike on both sides. PSI compares ten bins of about equal shares of A.</p>
`,
  });
}

function limitsSection(limits: readonly CheckedLimit[]): Html | undefined {
  if (limits.length === 0) return undefined;
  const beyond = limits.filter(({ state }) => state === 'beyond');
  return section({
    id: 'limits',
    heading: beyond.length === 0 ? 'Within the limits of the job file' : 'Beyond the limits of the job file',
    body: html`<ul class="warnings">${beyond.map((limit) => html`<li>${showLimit(limit)}</li>`)}</ul>${table({
      caption: 'Limits of compare in the job file',
      columns: [{ head: 'limit' }, { head: 'measured', numeric: true }, { head: 'allowed', numeric: true }, { head: 'state' }],
      rows: limits.map(({ name, value: measured, limit, state }) => [name, measured ?? '–', limit, state]),
    })}`,
  });
}

function distribution({ a, b, histogram }: Comparison): Html {
  const share = (users: number | undefined, of: ComparisonSide) => (of.users === 0 ? 0 : (users ?? 0) / of.users);
  const rows = histogram.a
    .map((users, i) => ({
      name: `${(i / 10).toFixed(1)} to ${((i + 1) / 10).toFixed(1)}`,
      now: share(histogram.b[i], b),
      before: share(users, a),
    }))
    .reverse();
  return figure({
    heading: 'Users by score',
    note: html`Share with a score in each range: ${BAR_KEY} B, ${STROKE_KEY} A.`,
    chart: draw(
      {
        id: 'distribution',
        title: 'Users by score in A and B',
        description: rows.map(({ name, now, before }) => `${name}: A ${percent(before)}, B ${percent(now)}`).join('; '),
        height: rows.length * ROW + 22,
      },
      shareRows(rows, 82),
    ),
    table: table({
      caption: 'Users by score',
      columns: [{ head: 'score' }, { head: 'A', numeric: true }, { head: 'B', numeric: true }],
      rows: rows.map(({ name, now, before }) => [name, percent(before), percent(now)]),
    }),
  });
}

function quantiles({ a, b, differences }: Comparison): Html {
  const shown = (number: number | null | undefined, show: (value: number) => string) =>
    number === null || number === undefined ? '–' : show(number);
  const shares = [a, b].find(({ users }) => users > 0)?.quantiles ?? [];
  return table({
    caption: 'Quantiles of the scores, and of the differences of users in both',
    showCaption: true,
    columns: ['quantile', 'A', 'B', 'B − A'].map((head, i) => ({ head, numeric: i > 0 })),
    rows: [
      ...shares.map(({ share }, i) => [
        `${Math.round(share * 100)} %`,
        shown(a.quantiles[i]?.value, score),
        shown(b.quantiles[i]?.value, score),
        shown(differences?.quantiles[i]?.value, signed),
      ]),
      ['mean', shown(a.mean_score, score), shown(b.mean_score, score), shown(differences?.mean, signed)],
    ],
  });
}

function bandsSection({ bands }: Comparison): Html {
  if (bands === null)
    return section({ id: 'bands', heading: 'Bands', body: html`<p>No user is in both, so nobody moves to another band.</p>` });
  const { names, moves } = bands;
  const users = (from: string, to: string) => moves.find((move) => move.from === from && move.to === to)?.users ?? 0;
  return section({
    id: 'bands',
    heading: 'Moves between bands',
    body: [
      html`<p>${percent(bands.moved)} of the users in both move to another band.</p>`,
      table({
        caption: 'Users by band: A down, B across',
        showCaption: true,
        columns: [{ head: 'in A' }, ...names.map((name) => ({ head: value(name), numeric: true }))],
        rows: names.map((from) => [
          value(from),
          ...names.map((to): Part => {
            const text = grouped(users(from, to));
            return from === to ? html`<strong>${text}</strong>` : text;
          }),
        ]),
      }),
    ],
  });
}

function outcomesSection({ outcomes }: Comparison): Html | undefined {
  if (outcomes === null) return undefined;
  const shown = (number: number | null) => (number === null ? '–' : number.toFixed(4));
  const row = (name: string, { users, positives, ...of }: OutcomeMeasures) => [
    name,
    grouped(users),
    users === 0 ? '–' : percent(positives / users),
    shown(of.auc),
    of.auc_low === null || of.auc_high === null ? '–' : `${shown(of.auc_low)} to ${shown(of.auc_high)}`,
    shown(of.brier),
    shown(of.calibration_error),
  ];
  return section({
    id: 'outcomes',
    heading: 'Outcomes of the users',
    body: table({
      caption: outcomes.by === 'paired' ? 'Users in both with a known outcome' : 'Users of each side with a known outcome',
      showCaption: true,
      columns: ['side', 'users', 'came true', 'AUC', '95 % interval', 'Brier score', 'calibration error'].map((head, i) => ({
        head,
        numeric: i > 0,
      })),
      rows: [row('A', outcomes.a), row('B', outcomes.b)],
    }),
  });
}

function largestSection({ largest }: Comparison, { page_keys }: Report): Html | undefined {
  if (largest.length === 0) return undefined;
  const heading = 'Largest differences';
  if (!page_keys)
    return section({
      id: 'largest',
      heading,
      body: html`<p>This page does not show keys, since report.page_keys is not set in the job file.</p>`,
    });
  return section({
    id: 'largest',
    heading,
    body: table({
      caption: 'Users in both with the largest differences',
      columns: ['key', 'A', 'B', 'B − A'].map((head, i) => ({ head, numeric: i > 0 })),
      rows: largest.map(({ key, score_a, score_b, difference }) => [
        value(key.join(', ')),
        score(score_a),
        score(score_b),
        signed(difference),
      ]),
    }),
  });
}

function sideRow(name: string, { window, run_id, publication, rows, model, users }: ComparisonSide): Part[] {
  const state = publication === null ? rows : `publication ${publication}, ${rows}`;
  return [
    name,
    value(window.label),
    html`<code>${run_id}</code>`,
    state,
    value(`${model.name} ${model.version}`),
    html`<code>${model.digest.slice(0, 12)}</code>`,
    grouped(users),
  ];
}
