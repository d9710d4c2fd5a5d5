import { ScoreBatchError } from '../../errors.ts';
import { TransactionError } from '../log.ts';
import { lookAtCommitted } from './look.ts';
import type { FlowOptions } from './ports.ts';
import type { Restarts } from './restarts.ts';

type Options = Pick<FlowOptions, 'log' | 'settings' | 'clock'> & { readonly restarts: Pick<Restarts, 'failed'> };

/**
 * Kafka forgets what a group committed once it has had no member for a while. Such a group cannot be told from a new one, but that scores
 * were written: to begin again would double them, or leave out what came meanwhile.
 *
 * @param partitions of the input
 * @throws ScoreBatchError `configuration` if the group has committed nothing, and there are or were scores; `unavailable`
 */
export async function refuseNewGroup(options: Options, partitions: number): Promise<void> {
  const { clock, restarts } = options;
  for (;;) {
    try {
      return await refuse(options, partitions);
    } catch (error) {
      if (!(error instanceof TransactionError)) throw error;
      const ms = restarts.failed(0, error);
      await new Promise<void>((resolve) => clock.after(ms, resolve));
    }
  }
}

async function refuse({ log, settings }: Options, partitions: number): Promise<void> {
  const { group, input, output } = settings;
  // Before the offsets: another new member of the group commits where it begins before it writes.
  const scores = await log.describe(output.scores);
  // Retention may have deleted all scores while the group was forgotten; a topic without any begins and ends at 0.
  if (scores === undefined || scores.partitions.every(({ end }) => end === 0)) return;
  for (let partition = 0; partition < partitions; partition += 1) {
    if ((await lookAtCommitted(log, { group, topic: input, partition })) !== undefined) return;
  }
  throw new ScoreBatchError(
    'configuration',
    `group ${group} has no committed offsets for topic ${input}, but scores have been written to ${output.scores}`,
    {
      hint:
        'look up partition and offset of the last scores; to start the group anyway, use --accept-new-group with --start earliest ' +
        '(scores everything that the input still has) or --start latest (skips everything before now)',
      details: [
        'the group is new, or Kafka has forgotten its offsets: after offsets.retention.minutes without a member (7 days by default), or with a deleted topic',
      ],
    },
  );
}
