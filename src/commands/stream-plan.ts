import type { Context } from '../context.ts';
import { counted } from '../domain/counted.ts';
import { ScoreBatchError } from '../errors.ts';
import type { WindowFeature } from '../event-features/definition.ts';
import { showDuration, showSpan } from '../event-features/duration.ts';
import type { StreamPlanOutput } from '../json/stream.ts';
import { openKafka } from '../stream/kafka/open.ts';
import type { TopicFacts } from '../stream/log.ts';
import { flinkScript } from '../stream/process/flink-script.ts';
import { planStream, type StreamPlan } from '../stream/process/plan-stream.ts';
import { readStreamSettings } from '../stream/settings/read.ts';
import type { StreamSettings } from '../stream/settings.ts';
import type { JobFlags } from './options.ts';
import { locatedSettings } from './stream-settings.ts';

export interface StreamPlanFlags extends JobFlags {
  readonly engine?: string;
  readonly checkpoint?: number;
}

/** Shows what the stream would do; with `--engine flink` its features as a Flink SQL job, without asking Kafka. */
export async function streamPlanCommand(
  { job, engine, checkpoint }: StreamPlanFlags,
  context: Context,
): Promise<{ readonly data: StreamPlanOutput; readonly text: string }> {
  if (engine !== undefined && engine !== 'flink') {
    throw new ScoreBatchError('usage', `--engine: there is no engine ${engine}`, {
      hint: 'use --engine flink; for SQL in a warehouse, run `score-batch stream sql`',
    });
  }
  if (checkpoint !== undefined && engine === undefined) {
    throw new ScoreBatchError('usage', '--checkpoint cannot be used without --engine', {
      hint: 'add --engine flink: --checkpoint sets how often Flink commits what it writes',
    });
  }
  const { folder, environment, subject, signal } = context;
  const settings =
    engine === undefined ? await locatedSettings(job, context) : await readStreamSettings(job, folder, environment);
  subject.job = settings.name;
  const known = { job: settings.name, features_digest: settings.features.digest };
  if (engine !== undefined) {
    const sql = flinkScript(settings, checkpoint === undefined ? {} : { checkpointMs: checkpoint * 1000 });
    return { data: { ...known, engine, sql }, text: sql };
  }
  const log = await openKafka(settings.kafka);
  try {
    const plan = await planStream(settings, log, { environment, signal });
    const { input, model, sources, warnings } = plan;
    const partitions = input.partitions.length;
    return {
      data: { ...known, group: settings.group, partitions, records: recordsOf(input), model, sources, warnings: [...warnings] },
      text: textOf(settings, plan),
    };
  } finally {
    await log.close();
  }
}

function textOf(settings: StreamSettings, plan: StreamPlan): string {
  const { name, group, input, output, features } = settings;
  const { model, sources, warnings } = plan;
  const { partitions, retentionMs } = plan.input;
  const keeps = retentionMs === undefined ? 'keeps all' : `keeps ${showSpan(retentionMs)}`;
  const lines = [
    ['stream', `${name}, as of ${features.asOf}, group ${group}`],
    ['input', `${input}: ${counted(partitions.length, 'partition')}, ${counted(recordsOf(plan.input), 'record')}, ${keeps}`],
    ['', `windows are rebuilt from the last ${showSpan(2 * plan.horizonMs)}`],
    ['output', [output.scores, output.deadLetter, output.alerts].filter((topic) => topic !== undefined).join(', ')],
    ['model', `${model.name} ${model.version}, ${model.digest.slice(0, 12)}: its golden rows agree`],
    ...features.features.map((feature, i) => [i === 0 ? 'features' : '', describe(feature)]),
    ...Object.entries(sources).map(([feature, source], i) => [i === 0 ? 'of model' : '', `${feature}: ${source}`]),
    ...warnings.map((warning) => ['warning', warning]),
    ['sql', `score-batch stream sql --job ${name} --table TABLE`],
  ];
  return lines.map(([title = '', text]) => `${title.padEnd(10)}${text}`).join('\n');
}

function describe({ name, aggregate, field, windowMs, where }: WindowFeature): string {
  const filtered = where.length === 0 ? '' : `, ${counted(where.length, 'condition')}`;
  return `${name}: ${aggregate} of ${field ?? 'events'} in ${showDuration(windowMs)}${filtered}`;
}

/** Counts offsets, so Kafka's transaction markers are included, although they are no events. */
function recordsOf({ partitions }: TopicFacts): number {
  return partitions.reduce((sum, { begin, end }) => sum + end - begin, 0);
}
