import { showBytes } from '../domain/cost.ts';
import type { Acceptance, Rollback } from '../domain/run-details.ts';
import { momentIn } from './dates.ts';
import { type Html, html, type Part, value } from './html.ts';
import { count, decimal } from './numbers.ts';
import type { PageData } from './page-data.ts';
import { section } from './section.ts';

/** The only section that may differ when the page is generated again. */
export function runSection({ run, window, job }: PageData): Html {
  // Readers of the report never see a challenger, not even its time.
  const stages = Object.entries(run.seconds).filter(([stage]) => stage !== 'challenge');
  const total = stages.reduce((sum, [, seconds]) => sum + seconds, 0);
  const facts: readonly (readonly [name: string, fact: Part])[] = [
    ['Model', html`${value(run.model.name)} ${run.model.version}, digest <code>${run.model.digest}</code>`],
    ['Window', `${momentIn(job.zone, window.start)} to before ${momentIn(job.zone, window.end)} (${job.zone})`],
    ['Data read on', momentIn(job.zone, run.dataAsOf)],
    ['Published', momentIn(job.zone, run.publishedAt)],
    ...(run.accepted ? [acceptedFact(run.accepted, job.zone)] : []),
    ...(run.rollback ? [rollbackFact(run.rollback)] : []),
    ['Scored on', run.provider],
    [
      'Time',
      `${decimal(total, 1)} s${stages.length > 0 ? ` (${stages.map(([stage, seconds]) => `${stage} ${decimal(seconds, 1)}`).join(', ')})` : ''}`,
    ],
    ['Cost', run.cost ? `${showBytes(run.cost.bytes)} read, ${decimal(run.cost.usd, 2)} USD` : 'not reported'],
    ['Run', html`<code>${run.runId}</code>, up to entry ${count(run.entryNumber)} of the ledger, score-batch ${run.version}`],
  ];
  return section({
    id: 'run',
    heading: 'The run',
    body: html`${run.warnings.length === 0 ? undefined : html`<ul class="warnings">${run.warnings.slice(0, 20).map((warning) => html`<li>Warning: ${warning}</li>`)}</ul>`}
<dl class="facts">${facts.map(
      ([name, fact]) => html`<div><dt>${name}</dt><dd>${fact}</dd></div>
`,
    )}</dl>
`,
  });
}

function rollbackFact({ publication, from, reason, user }: Rollback): readonly [string, Part] {
  const why = reason === null ? undefined : html`: ${value(reason)}`;
  const by = user === null ? undefined : html`, by ${value(user)}`;
  return [
    'Rolled back',
    html`Publication ${count(publication)} is shown again in place of publication ${count(from.publication)}, of run <code>${from.run_id}</code>${why}${by}`,
  ];
}

function acceptedFact({ gates, reason, user, at }: Acceptance, zone: string): readonly [string, Part] {
  const by = user === null ? undefined : html`, by ${value(user)}`;
  return ['Accepted', html`Published although ${gates.join(', ')} refused: ${value(reason)}${by}, on ${momentIn(zone, at)}`];
}
