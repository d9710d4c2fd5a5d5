import type { Context } from '../context.ts';
import { counted, grouped } from '../domain/counted.ts';
import { ScoreBatchError } from '../errors.ts';
import type { StreamReplayOutput } from '../json/stream.ts';
import { replayStream } from '../stream/process/replay-stream.ts';
import type { StreamSettings } from '../stream/settings.ts';
import type { JobFlags } from './options.ts';
import { locatedSettings } from './stream-settings.ts';

export interface StreamReplayFlags extends JobFlags {
  /** Epoch milliseconds. */
  readonly from: number;
  readonly to: number;
  readonly topic: string;
  readonly model?: string;
  readonly deadLetter?: string;
}

/** Scores the events of a range of time once more, with this or another model, into a separate topic. */
export async function streamReplayCommand(
  flags: StreamReplayFlags,
  context: Context,
): Promise<{ readonly data: StreamReplayOutput; readonly text: string }> {
  const { environment, subject, console, signal } = context;
  const { from, to, topic, model, deadLetter } = flags;
  if (from >= to) {
    throw new ScoreBatchError('usage', '--from must be before --to', { hint: 'events with --from <= time < --to are scored' });
  }
  const settings = await locatedSettings(flags.job, context, model);
  subject.job = settings.name;
  refuseOwnTopics(settings, flags);
  const summary = await replayStream({
    ...{ settings, from, to, topic, deadLetter, environment, console, signal },
    hashKey: environment.SCORE_BATCH_HASH_KEY || undefined,
  });
  const data: StreamReplayOutput = {
    ...{ job: settings.name, input: settings.input, topic, dead_letter: deadLetter ?? null },
    ...{ from: new Date(from).toISOString(), to: new Date(to).toISOString(), model: summary.model },
    ...{ features_digest: settings.features.digest, as_of: settings.features.asOf },
    attributes_at: summary.attributesAt === undefined ? null : new Date(summary.attributesAt).toISOString(),
    ...{ partitions: summary.partitions, continued: summary.continued, unsettled: summary.unsettled },
    ...{ scored: summary.scored, idle: summary.idle, capped: summary.capped, duplicates: summary.duplicates },
    rejected: [...summary.rejected].map(([reason, events]) => ({ reason, events })).sort((a, b) => b.events - a.events),
  };
  return { data, text: textOf(data) };
}

/** Refuses topics that the stream itself reads or writes. */
function refuseOwnTopics({ name, input, output, attributes }: StreamSettings, { topic, deadLetter }: StreamReplayFlags): void {
  const own = [input, output.scores, output.deadLetter, output.alerts, attributes && 'topic' in attributes && attributes.topic];
  for (const [flag, given] of [
    ['--topic', topic],
    ['--dead-letter', deadLetter],
  ] as const) {
    if (given === undefined || !own.includes(given)) continue;
    throw new ScoreBatchError('usage', `${flag} ${given} is a topic of the stream job ${name}`, {
      hint: 'create a topic for the replay, and use that',
    });
  }
  if (topic === deadLetter) {
    throw new ScoreBatchError('usage', `--topic and --dead-letter are both ${topic}`, {
      hint: 'use a topic of its own for each',
    });
  }
}

function textOf(data: StreamReplayOutput): string {
  const { topic, deadLetter, model, scored, idle, capped, duplicates, rejected, partitions, unsettled } = {
    ...data,
    deadLetter: data.dead_letter,
  };
  const others = rejected.map(({ reason, events }) => `${grouped(events)} ${reason}`);
  const not = [...(duplicates === 0 ? [] : [counted(duplicates, 'duplicate')]), ...others];
  const outside = [...(idle === 0 ? [] : [`${grouped(idle)} idle`]), ...(capped === 0 ? [] : [`${grouped(capped)} capped`])];
  const lines = [
    ['replay', `${data.job}: ${data.input}, ${counted(partitions, 'partition')}, from ${data.from} to ${data.to}`],
    ['model', `${model.name} ${model.version}, ${model.digest.slice(0, 12)}`],
    ['scored', `${grouped(scored)} to ${topic}${outside.length === 0 ? '' : `, including ${outside.join(', ')}`}`],
    ...(not.length === 0 ? [] : [['not scored', `${not.join(', ')}${deadLetter === null ? '' : `; to ${deadLetter}`}`]]),
    ...(data.continued ? [['continued', 'an earlier run; what it wrote is not counted here']] : []),
    ...(data.attributes_at === null ? [] : [['attributes', `as of ${data.attributes_at}, not as of the events`]]),
    ...(unsettled.length === 0
      ? []
      : [
          [
            'unsettled',
            `events of this time range may still arrive in ${counted(unsettled.length, 'partition')}: run it again later`,
          ],
        ]),
  ];
  return lines.map(([title = '', text]) => `${title.padEnd(12)}${text}`).join('\n');
}
