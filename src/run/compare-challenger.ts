import { comparePublications } from '../compare/compare-runs.ts';
import { type CheckedLimit, checkComparison } from '../compare/comparison.ts';
import { type PublishedRows, publishedRows } from '../compare/scored-rows.ts';
import type { SideFacts } from '../domain/comparison.ts';
import { currentPublication } from '../domain/ledger.ts';
import { percent } from '../domain/percents.ts';
import type { ComparedBundle, RecordedComparison } from '../domain/recorded-comparison.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Plan } from '../plan/plan.ts';
import type { TableReader } from '../warehouse/reader.ts';
import { type ActiveRun, windowFilter } from './progress.ts';

/**
 * Compares the published scores of champion and challenger for the window, in the sink's warehouse. Outcomes are not known yet.
 *
 * @returns undefined if a side has no scores
 * @throws ScoreBatchError `conflict` if another run has published on either side
 */
export async function compareWithChampion(champion: ActiveRun, challenger: ActiveRun): Promise<RecordedComparison | undefined> {
  const { plan } = champion;
  const sides = [await sideOf(champion, 'published'), await sideOf(challenger, 'challenger')] as const;
  if (sides.some(({ users }) => users === 0)) return undefined;
  const measures = await plan.sink.read(async (reader) => {
    const [a, b] = [await foundSide(reader, sides[0]), await foundSide(reader, sides[1])];
    // `largest: 0`, because the ledger names no users.
    const bands = { a: plan.job.definition.score.bands, b: challenger.plan.job.definition.score.bands };
    return await comparePublications(reader, { a, b, bands, largest: 0 });
  });
  return {
    champion: bundleOf(champion),
    challenger: bundleOf(challenger),
    measures,
    limits: checkComparison(measures, plan.job.definition.compare),
  };
}

interface Side {
  readonly users: number;
  readonly facts: SideFacts;
  readonly rows: PublishedRows;
}

async function sideOf({ plan, progress }: ActiveRun, rows: SideFacts['rows']): Promise<Side> {
  const { window, bundle, tables, job, key } = plan;
  const current = currentPublication(await plan.ledger.entries(windowFilter(plan)));
  if (current?.runId !== progress.runId) {
    throw new ScoreBatchError('conflict', `another run published ${window.label}, so this run cannot compare the two models`, {
      hint: 'nothing to do: the run that published the window compares them',
    });
  }
  const instants = { start: window.start.toISOString(), end: window.end.toISOString() };
  return {
    users: current.rows.scored,
    facts: {
      ...{ name: job.definition.model, job: job.definition.name, run_id: progress.runId, publication: current.number, rows },
      window: { label: window.label, ...instants },
      model: { name: bundle.definition.name, version: bundle.definition.version, digest: bundle.digest },
    },
    rows: {
      ...{ table: tables.scores, job: job.definition.name, window: instants, runId: progress.runId },
      ...{ publication: current.number, replaced: false, score: job.definition.score.column },
      key: tables.scores.columns.slice(0, key.length),
    },
  };
}

async function foundSide(reader: TableReader, { facts, rows }: Side) {
  const found = await reader.find(rows.table);
  if (found === undefined) throw new Error(`the table of ${facts.job} is gone`);
  return { facts, rows: publishedRows(reader.dialect, found, rows) };
}

function bundleOf({ plan: { bundle }, progress: { runId } }: ActiveRun): ComparedBundle {
  return { run_id: runId, digest: bundle.digest, definition_digest: bundle.definitionDigest };
}

/** `mean score 0.4123, of the champion 0.4100; Spearman 0.98; …; within the limits` */
export function showComparison(comparison: RecordedComparison | undefined, { bundle }: Pick<Plan, 'bundle'>): string {
  const { name, version } = bundle.definition;
  if (comparison === undefined) return `${name} ${version} and the champion have no scores to compare`;
  const { a, b, ranks, bands, psi } = comparison.measures;
  const measured = [
    ...(a.mean_score === null || b.mean_score === null
      ? []
      : [`mean score ${b.mean_score.toFixed(4)} against ${a.mean_score.toFixed(4)}`]),
    ...(ranks === null ? [] : [`${percent(ranks.top_decile_overlap)} of the riskiest tenth are the same`]),
    ...(ranks === null || ranks.spearman === null ? [] : [`Spearman ${ranks.spearman.toFixed(3)}`]),
    ...(bands === null ? [] : [`${percent(bands.moved)} move to another band`]),
    ...(psi === null ? [] : [`PSI ${psi.toFixed(3)}`]),
  ];
  return `${name} ${version}: ${measured.join(', ')}; ${showLimits(comparison.limits)}`;
}

function showLimits(limits: RecordedComparison['limits']): string {
  const beyond = limits.filter(({ state }) => state === 'beyond');
  if (limits.length === 0) return 'the job has no limits under compare';
  return beyond.length === 0 ? 'within the limits' : `beyond ${beyond.map(showLimit).join(' and ')}`;
}

/** `max_psi (0.31, limit 0.2)` */
export function showLimit({ name, limit, value }: Pick<CheckedLimit, 'limit' | 'value'> & { readonly name: string }): string {
  return `${name} (${value === null ? 'not measured' : Number(value.toPrecision(4))}, limit ${limit})`;
}
