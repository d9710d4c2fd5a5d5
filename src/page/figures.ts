import { meanScore } from './change.ts';
import { type Html, html, type Part } from './html.ts';
import { change, count, expected, measure, percent, points, relative } from './numbers.ts';
import type { PageData } from './page-data.ts';
import { section } from './section.ts';
import { believed } from './separation.ts';
import { sparkline } from './trend.ts';
import { capitalized } from './words.ts';

interface HeadlineFigure {
  readonly label: Part;
  readonly number: string;
  /** Comparison with the earlier window, or another remark about the number. */
  readonly note: string | undefined;
  readonly spark: Html | undefined;
}

/** The window's main figures, each with its trend. */
export function figuresSection(data: PageData): Html {
  const { trend, totals, before, job, outcome } = data;
  const { nouns } = job;
  const mean = meanScore(totals);
  const meanBefore = before && meanScore(before);
  const since = before === undefined ? '' : ` since ${before.label}`;
  const course = (id: string, title: string, pick: (point: (typeof trend)[number]) => number | undefined) => {
    const values = trend.map(pick);
    return values.filter((value) => value !== undefined).length < 2 ? undefined : sparkline(id, title, values);
  };
  const figures: HeadlineFigure[] = [
    {
      label: nouns.many,
      number: count(totals.users),
      note: before && withRelative(change(totals.users - before.users), relative(totals.users, before.users), since),
      spark: course('spark-users', `Course of ${nouns.many}`, (point) => point.totals?.users),
    },
    {
      label: `expected to ${nouns.outcome}`,
      number: expected(totals.expected),
      note:
        before && withRelative(change(totals.expected - before.expected), relative(totals.expected, before.expected), since),
      spark: course('spark-expected', `Course of those expected to ${nouns.outcome}`, (point) => point.totals?.expected),
    },
    {
      label: `share of ${nouns.many} (mean score)`,
      number: mean === undefined ? '–' : percent(mean),
      note: mean === undefined || meanBefore === undefined ? undefined : `${points(mean - meanBefore)}${since}`,
      spark: course('spark-score', 'Course of the mean score', (point) => point.totals && meanScore(point.totals)),
    },
    qualityFigure(outcome),
  ];
  return section({
    id: 'figures',
    heading: 'Figures',
    body: html`<ul class="figures">${figures.map(
      ({ label, number, note, spark }) =>
        html`<li><span class="label">${typeof label === 'string' ? capitalized(label) : label}</span> <b class="number">${number}</b> <span class="delta">${note ?? 'nothing to compare with'}</span>${spark}</li>
`,
    )}</ul>
`,
  });
}

function withRelative(difference: string, share: string | undefined, since: string): string {
  return `${difference}${share === undefined ? '' : ` (${share})`}${since}`;
}

function qualityFigure(outcome: PageData['outcome']): HeadlineFigure {
  const label = 'ranking by score (AUC; 0.5 is chance, 1 perfect)';
  const known = outcome && believed(outcome);
  if (known?.auc === undefined) return { label, number: '–', note: 'not known yet', spark: undefined };
  const range = known.aucInterval ? `95% interval ${measure(known.aucInterval[0])} to ${measure(known.aucInterval[1])}, ` : '';
  const values = outcome?.series.filter(({ inSample }) => !inSample).map(({ auc }) => auc) ?? [];
  const spark =
    values.filter((auc) => auc !== undefined).length < 2 ? undefined : sparkline('spark-auc', 'Course of the AUC', values);
  return { label, number: measure(known.auc), note: `${range}${known.label}`, spark };
}
