import { grouped } from '../../domain/counted.ts';
import { ScoreBatchError } from '../../errors.ts';
import type { LogBatch } from '../log.ts';
import { type AttributeLimits, hashedKey, refuseBeyond } from './limits.ts';
import { readRecord } from './record.ts';
import { type AttributeColumn, AttributeTable } from './table.ts';
import { type TopicVersion, topicVersions } from './versions.ts';

export interface TopicRowsOptions {
  readonly topic: string;
  readonly columns: readonly AttributeColumn[];
  readonly limits: AttributeLimits;
  readonly warn: (message: string) => void;
}

/** The newest row of each key, from records that arrive in order within a partition. */
export interface TopicRows {
  readonly table: AttributeTable<TopicVersion>;
  /**
   * @throws ScoreBatchError `configuration` if a key has rows in two partitions, `unavailable` if there are more rows than allowed
   */
  add(batch: LogBatch): void;
}

export function topicRows({ topic, columns, limits, warn }: TopicRowsOptions): TopicRows {
  const table = new AttributeTable<TopicVersion>(columns, topicVersions());
  let refused = 0;
  const refuse = (partition: number, offset: number, why: string): void => {
    refused += 1;
    // Warn of the 1st, 10th, 100th, …: a topic of other records must not flood the log.
    if (!Number.isInteger(Math.log10(refused))) return;
    warn(
      `record ${partition}:${offset} of the attribute topic ${topic} is skipped: ${why}${refused === 1 ? '' : ` (${grouped(refused)} so far)`}`,
    );
  };
  return {
    table,
    add({ partition, records }) {
      for (const record of records) {
        const { offset } = record;
        const found = readRecord(record, columns);
        if ('refused' in found) {
          refuse(partition, offset, found.refused);
          continue;
        }
        const { key, values } = found;
        const other = table.versionOf(key)?.partition ?? partition;
        if (values !== undefined && other !== partition) throw inTwo(topic, key, [other, partition]);
        if (values !== undefined) table.set(key, { partition, offset }, values);
        else if (other === partition) table.delete(key);
        refuseBeyond(table, limits, `the topic ${topic}`);
      }
    },
  };
}

/** Records of two partitions have no order, so which row is newer would depend on the reader. */
function inTwo(topic: string, key: string, partitions: readonly [number, number]): ScoreBatchError {
  return new ScoreBatchError(
    'configuration',
    `a key of the attribute topic ${topic} has rows in the partitions ${partitions.join(' and ')} (${hashedKey(key)})`,
    {
      hint: 'write all rows with one partitioner; if partitions were added, write all rows again to a new topic, and set attributes.topic to it',
    },
  );
}
