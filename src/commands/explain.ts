import type { Context } from '../context.ts';
import { counted } from '../domain/counted.ts';
import { ledgerWindow, type Run } from '../domain/ledger.ts';
import { scoreClass } from '../domain/score-class.ts';
import { SCORE_SCALE } from '../domain/tables.ts';
import type { Window } from '../domain/window.ts';
import { ScoreBatchError } from '../errors.ts';
import { readBaseline } from '../explain/baseline.ts';
import { explainUsers } from '../explain/explain-users.ts';
import { readFeatureRows } from '../explain/feature-rows.ts';
import { keyText } from '../explain/key-text.ts';
import { type PublishedScore, readUserScores, type UserScores } from '../explain/published-score.ts';
import type { Job } from '../job/load.ts';
import { bindWindow } from '../job/parameters.ts';
import type { ExplainOutput } from '../json/explain.ts';
import { championDefinition, loadChallenger } from '../plan/challenger.ts';
import { chooseColumns } from '../plan/columns.ts';
import { loadJobBundle } from '../plan/job-bundle.ts';
import { locatedJob } from '../plan/located-job.ts';
import { openWarehouses, tableNames, type Warehouses } from '../plan/warehouses.ts';
import { alignTable } from '../terminal/table.ts';
import { namedJob } from './named-job.ts';
import { chooseWindow, type JobFlags, type WindowOptions } from './options.ts';
import { type PublishedRun, publishedRunOf } from './published-run.ts';

export interface ExplainFlags extends JobFlags, WindowOptions {
  readonly features?: number;
}

/** Reasons to show if neither the job file nor a flag sets a number. */
const FEATURES = 3;

/**
 * Shows a user's score in a window with its reasons, run and model, and the scores of earlier windows. Reasons are computed
 * again from the source's present rows if these still yield the published score; otherwise the published reasons are shown, if
 * any.
 *
 * @param values of the key's columns, in their order in `source.key`
 */
export async function explainCommand(
  values: readonly string[],
  flags: ExplainFlags,
  context: Context,
): Promise<{ data: ExplainOutput; text: string }> {
  const named = await namedJob(flags, context);
  const { definition } = named;
  if (values.length !== definition.source.key.length) {
    throw new ScoreBatchError(
      'usage',
      `the key has ${counted(definition.source.key.length, 'column')}, but ${counted(values.length, 'value')} ${values.length === 1 ? 'was' : 'were'} given`,
      { hint: `give a value for each of ${definition.source.key.join(', ')}, in this order` },
    );
  }
  const window = chooseWindow(flags, definition, context);
  const warehouses = await openWarehouses(named, context);
  await warehouses.reachSink();
  await using _reading = warehouses.readTogether();
  const run = publishedRunOf(await warehouses.ledger.entries({ job: definition.name, window: ledgerWindow(window) }), window);
  context.subject.runId = run.runId;
  // Use the version that gave the scores, not what its alias points to now.
  const job = await locatedJob(named, context, { ledger: warehouses.ledger, pinned: run.details.registered });
  const user = await readUser(values, { job, window, run, warehouses });
  const published = user.scores.find(({ runId }) => runId === run.runId);
  const reasons = published && (await reasonsNow(published, user, { job, window, run, warehouses }, flags));
  const found = { job: definition.name, window: window.label, run, user, published, reasons };
  return { data: dataOf(found), text: textOf(found) };
}

interface Found {
  readonly job: Job;
  readonly window: Window;
  readonly run: PublishedRun;
  readonly warehouses: Warehouses;
}

async function readUser(values: readonly string[], { job, window, run, warehouses }: Found): Promise<UserScores> {
  const { definition } = job;
  const names = tableNames(definition);
  const columns = run.details.columns;
  if (!columns.some(({ name }) => name === 'rank')) {
    throw new ScoreBatchError('refused', `the scores of ${window.label} were published without ranks`, {
      hint: 'explain needs sink.layout: wide',
    });
  }
  const key = columns.slice(0, definition.source.key.length);
  const written = key.map((column, i) => keyText(values[i] ?? '', column));
  const user = await warehouses.sink.read((reader) =>
    readUserScores(reader, {
      ...{ job: definition.name, window: ledgerWindow(window), runId: run.runId, values: written },
      scores: { name: names.scores, columns },
      quarantine: { name: names.quarantine, columns: [] },
      key,
      scoreColumn: definition.score.column,
    }),
  );
  if (user.keyHash !== undefined || user.quarantined.length > 0) return user;
  throw new ScoreBatchError('usage', `${window.label} has no user with this key`, {
    hint: 'write the key as it is in the scores table, with times in UTC such as 2026-11-18 09:00:00; put -- before a value that begins with -',
  });
}

/** Reasons for a score. */
interface ReasonsNow {
  readonly texts: readonly string[];
  /** Where they come from, for people. */
  readonly from: string;
}

async function reasonsNow(
  published: PublishedScore,
  { keyHash }: UserScores,
  { job, window, run, warehouses }: Found,
  flags: ExplainFlags,
): Promise<ReasonsNow> {
  const asPublished = (why: string): ReasonsNow =>
    published.reasons.length > 0
      ? { texts: published.reasons, from: `as published, because ${why}` }
      : { texts: [], from: `not known, because ${why}` };
  const { definition } = job;
  const bundle = await loadJobBundle(job);
  if (bundle.digest !== run.model.digest) return asPublished('the job file now names a different model');
  if (run.details.score_class !== scoreClass(definition.score))
    return asPublished('the score of the job file is now the probability of a different class');
  if (bundle.definition.baseline_rows === undefined) return asPublished('the model bundle has no baseline rows');
  const baseline = await readBaseline(bundle);
  const query = bindWindow(job.query, window, job.queryName, job.kind);
  const own = championDefinition(definition, bundle, await loadChallenger(job));
  const columns = chooseColumns(own, await warehouses.source.describe(query), bundle);
  const hash = keyHash ?? '';
  const rows = await readFeatureRows((statement) => warehouses.source.select(query, statement), columns, [hash]);
  const user = {
    texts: rows.get(hash),
    millionths: Math.round(Number(published.score) * 10 ** SCORE_SCALE),
    featureHash: undefined,
  };
  const explained = await explainUsers([user], {
    ...{ bundle, baseline, columns: columns.features },
    features: flags.features ?? definition.score.reasons?.features ?? FEATURES,
    ...{ providers: ['cpu'], requireGpu: false },
  });
  if (explained.changed > 0) return asPublished('the row in the source no longer gives this score');
  const from =
    explained.method === 'shapley'
      ? 'Shapley values against the rows of baseline.csv'
      : 'occlusion: what the score would be with values from baseline.csv';
  return { texts: explained.rows[0]?.flatMap((text) => text ?? []) ?? [], from };
}

interface Explanation {
  readonly job: string;
  readonly window: string;
  readonly run: Run;
  readonly user: UserScores;
  readonly published: PublishedScore | undefined;
  readonly reasons: ReasonsNow | undefined;
}

function dataOf({ job, window, run, user, published, reasons }: Explanation): ExplainOutput {
  const score = ({ label, runId, modelName, modelVersion, ...one }: PublishedScore) => ({
    ...{ window: label, run_id: runId, model: { name: modelName, version: modelVersion } },
    ...{ score: Number(one.score), rank: one.rank, decile: one.decile, band: one.band, reasons: one.reasons },
  });
  return {
    ...{ job, window, run_id: run.runId, model: run.model },
    score: published ? score(published) : null,
    quarantined: user.quarantined,
    reasons: reasons?.texts ?? [],
    reasons_from: reasons?.from ?? null,
    earlier: user.scores.filter((one) => one !== published).map(score),
  };
}

function textOf({ job, window, run, user, published, reasons }: Explanation): string {
  const lines = [
    `${job} ${window}, run ${run.runId}`,
    `  model     ${run.model.name} ${run.model.version}, sha256 ${run.model.digest.slice(0, 12)}…`,
  ];
  for (const { reason, column } of user.quarantined) {
    lines.push(`  not scored: ${reason}${column === '' ? '' : ` (${column})`}`);
  }
  if (published !== undefined) {
    lines.push(`  score     ${published.score}, rank ${published.rank}, decile ${published.decile}, band ${published.band}`);
  }
  if (reasons !== undefined) {
    lines.push(
      `  reasons   ${reasons.texts.join('\n            ') || 'none: no feature raises the score'}`,
      `            (${reasons.from})`,
    );
  }
  const earlier = user.scores.filter((one) => one !== published);
  if (earlier.length > 0) {
    const rows = earlier.map((one) => [
      one.label,
      one.score,
      String(one.rank),
      one.band,
      `${one.modelName} ${one.modelVersion}`,
    ]);
    lines.push('', alignTable(['earlier', 'score', 'rank', 'band', 'model'], rows, { important: ['score', 'band', 'model'] }));
  }
  return lines.join('\n');
}
