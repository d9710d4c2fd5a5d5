import path from 'node:path';
import { findSide } from '../compare/side.ts';
import type { Context } from '../context.ts';
import type { Run } from '../domain/ledger.ts';
import { ScoreBatchError } from '../errors.ts';
import type { EventFeatures } from '../event-features/definition.ts';
import { readEventFeatures } from '../event-features/read.ts';
import { digestOfSql } from '../event-features/sql/event-sql.ts';
import { type Job, loadJob } from '../job/load.ts';
import { readText } from '../job/locate.ts';
import type { StreamCompareOutput } from '../json/stream.ts';
import { openWarehouses, tableNames } from '../plan/warehouses.ts';
import { agrees, type LookBack, lookBack } from '../stream/compare/look-back.ts';
import { showLookBack } from '../stream/compare/text.ts';
import { type Written, writtenFile, writtenTopic } from '../stream/compare/written.ts';
import { readStreamSettings } from '../stream/settings/read.ts';
import type { StreamSettings } from '../stream/settings.ts';
import { alignTable } from '../terminal/table.ts';
import { chooseWindow, type JobFlags, type WindowOptions } from './options.ts';
import { flagsOf } from './status-rows.ts';

export interface StreamCompareFlags extends JobFlags, WindowOptions {
  readonly batch: string;
  readonly scores?: string;
  readonly deadLetter?: string;
  readonly allowOther?: boolean;
  readonly named?: number;
}

export interface StreamCompared {
  readonly data: StreamCompareOutput;
  readonly text: string;
  /** The error to end with once the comparison is shown; undefined if the scores agree. */
  readonly refusal: ScoreBatchError | undefined;
}

/** Most events to name per kind. */
const NAMED = 20;
/** Memory of the database that both sides are read into. */
const MEMORY_BYTES = 512 * 2 ** 20;
/** Scores are written after their events. These may be ahead of Kafka's timestamps, and a clock may be behind. */
const BEFORE_MS = 3_600_000;

/**
 * Compares what a stream wrote for the events of a window with what a batch job published for it, without changing anything.
 */
export async function streamCompareCommand(flags: StreamCompareFlags, context: Context): Promise<StreamCompared> {
  const { folder, environment, subject, signal } = context;
  const settings = await readStreamSettings(flags.job, folder, environment);
  subject.job = settings.name;
  const job = await loadJob(flags.batch, folder, environment);
  const { definition } = job;
  const window = chooseWindow(flags, definition, context);
  const warehouses = await openWarehouses(job, context);
  await warehouses.reachSink();
  const scores = tableNames(definition).scores;
  const publish = `score-batch --job ${flags.batch} ${flagsOf({
    ...{ kind: window.kind, label: window.label },
    ...{ start: window.start.toISOString(), end: window.end.toISOString() },
  })}`;
  const side = await findSide(window.label, { definition, ledger: warehouses.ledger, scores, publish });
  subject.runId = side.run.runId;
  const range = { start: window.start.getTime(), end: window.end.getTime() };
  await using _reading = warehouses.readTogether();
  const look = await lookBack({
    ...(await writtenBy(settings, flags, range.start - settings.features.skewMs - BEFORE_MS, context)),
    ...{ batch: { side, read: (work) => warehouses.sink.read(work) }, batchJob: definition.name },
    ...{ features: settings.features, batchFeatures: await featuresOf(job, side.run, settings.features), window: range },
    ...{ allowOther: flags.allowOther === true, named: flags.named ?? NAMED },
    ...{ memory: context.maxMemory ?? MEMORY_BYTES, signal },
  });
  const named = { job: settings.name, batch: definition.name, window: window.label, runId: side.run.runId };
  const refusal = refusalOf(look, settings.name, definition.name);
  if (refusal) context.console.warn(`${refusal.message}: docs/stream-look-back.md explains how to find the reason`);
  return {
    data: dataOf(named, look, side.facts.model, settings.features),
    text: showLookBack(named, look, alignTable),
    refusal,
  };
}

function refusalOf(look: LookBack, stream: string, batch: string): ScoreBatchError | undefined {
  if (!agrees(look)) return new ScoreBatchError('refused', `the scores of the stream ${stream} do not match those of ${batch}`);
  if (!look.isVacuous) return undefined;
  return new ScoreBatchError('refused', 'nothing was compared: every event is outside the agreement or was left out');
}

/** The stream's output: files, or the topics of its job file. */
async function writtenBy(
  settings: StreamSettings,
  flags: StreamCompareFlags,
  from: number,
  { folder, signal, atEnd }: Context,
): Promise<{ readonly scores: Written; readonly deadLetter: Written | undefined }> {
  if (flags.scores === undefined) {
    if (flags.deadLetter !== undefined) {
      throw new ScoreBatchError('usage', '--dead-letter needs --scores', {
        hint: 'give both files, or neither to read the topics in the job file',
      });
    }
    const { openKafka } = await import('../stream/kafka/open.ts');
    const log = await openKafka(settings.kafka);
    atEnd(() => log.close());
    const topic = (name: string) => writtenTopic(log, name, from, signal);
    return { scores: topic(settings.output.scores), deadLetter: topic(settings.output.deadLetter) };
  }
  const file = (name: string) => writtenFile(path.resolve(folder, name), name);
  return { scores: file(flags.scores), deadLetter: flags.deadLetter === undefined ? undefined : file(flags.deadLetter) };
}

/**
 * Digest of the features with which the batch scored: its file may have changed since. If it has a query instead of events, its
 * features are unknown.
 */
async function featuresOf({ definition, root }: Job, { details }: Run, own: EventFeatures): Promise<string> {
  const { events } = definition.source;
  if (events === undefined) return own.digest;
  const recorded = details.sql === undefined ? undefined : digestOfSql(details.sql);
  if (recorded !== undefined) return recorded;
  const text = await readText(path.resolve(root, events.features), 'the feature file');
  return readEventFeatures(text, events.features).digest;
}

function dataOf(
  { job, batch, window, runId }: Parameters<typeof showLookBack>[0],
  { outside, only, other, ...look }: LookBack,
  model: StreamCompareOutput['model'],
  { digest, asOf }: EventFeatures,
): StreamCompareOutput {
  return {
    ...{ job, batch, window, run_id: runId, model, features_digest: digest, as_of: asOf },
    ...{ compared: look.compared, equal: look.equal, differ: look.differ, largest_difference: look.largest },
    ...{ only_stream: only.stream, only_batch: only.batch, doubled: look.doubled },
    scored_again: look.again,
    ...{ idle: outside.idle, capped: outside.capped, repeated: outside.repeated },
    ...{ other_model: other.model, other_features: other.features },
    ...{ not_scored: look.rejected, differences: look.differences, named: look.named },
  };
}
