import { bandsSection } from './bands.ts';
import { HATCHES } from './bands-chart.ts';
import { brief } from './brief.ts';
import { WINDOW_NOUNS, windowInWords } from './dates.ts';
import { distributionFigure } from './distribution.ts';
import { htmlDocument } from './document.ts';
import { driftSection } from './drift.ts';
import { figuresSection } from './figures.ts';
import { type Html, html, link, value } from './html.ts';
import { changeTable, headline, lede } from './lede.ts';
import { leftOutSection } from './left-out.ts';
import { outcomeSection } from './outcome.ts';
import type { PageData } from './page-data.ts';
import { riskiestSection } from './riskiest.ts';
import { runSection } from './run-facts.ts';
import { section } from './section.ts';
import { separationText } from './separation-words.ts';
import { scoreTrend, usersTrend } from './trend.ts';
import { capitalized } from './words.ts';

/** The report page of a window as a self-contained HTML document. The same data yields the same bytes. */
export function renderPage(data: PageData): string {
  const { job, window, links, totals } = data;
  const title = headline(data);
  return htmlDocument({
    title: `${job.name} ${window.label}: ${title}`,
    header: html`<p class="kicker">${links.index === undefined ? value(job.name) : link(links.index, value(job.name))} · ${window.label}</p>
<h1>${title}</h1>
<p class="dek">${capitalized(windowInWords(window, job.zone))}.${job.description === undefined ? undefined : html` ${value(job.description)}`}</p>
`,
    main: [
      HATCHES,
      html`<section id="week" aria-label="The ${window.kind === 'ad hoc' ? 'window' : window.kind} in a paragraph">${lede(data)}${changeTable(data)}</section>
`,
      brief(data),
      figuresSection(data),
      html`<div class="pair">`,
      section({
        id: 'scores',
        heading: 'How much the scores differ',
        body: totals.users === 0 ? html`<p>There are no scores.</p>` : [separationText(data), distributionFigure(data)],
      }),
      totals.users === 0
        ? section({ id: 'bands', heading: 'Bands', body: html`<p>Nobody is in a band.</p>` })
        : bandsSection(data),
      html`</div>`,
      trendSection(data),
      outcomeSection(data),
      riskiestSection(data),
      leftOutSection(data),
      driftSection(data),
      runSection(data),
    ],
    footer: html`<p>Scores are probabilities: ${job.nouns.many} with a score of 80% are expected to ${job.nouns.outcome} in 80 of 100 cases. “Expected” numbers are sums of scores.</p>
`,
  });
}

function trendSection({ trend, job, window }: PageData): Html {
  const noun = WINDOW_NOUNS[window.kind];
  if (trend.length === 0)
    return section({
      id: 'trend',
      heading: 'Trend',
      body: html`<p>This window has no fixed length, so it is part of no trend.</p>`,
    });
  return section({
    id: 'trend',
    heading: `The last ${trend.length === 1 ? noun : `${trend.length} ${noun}s`}`,
    body: html`<div class="grid">${usersTrend(trend, job.nouns)}${scoreTrend(trend, job.nouns)}</div>`,
  });
}
