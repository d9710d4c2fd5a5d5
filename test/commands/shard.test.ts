import { describe, expect, it } from 'vitest';
import { chooseShard, type ShardFlags } from '../../src/commands/shard.ts';
import { ScoreBatchError } from '../../src/errors.ts';

function chosen(flags: ShardFlags, environment: NodeJS.ProcessEnv = {}): string {
  try {
    const { index, count } = chooseShard(flags, environment);
    return `${index} of ${count}`;
  } catch (error) {
    if (error instanceof ScoreBatchError) return `${error.kind}: ${error.message}`;
    throw error;
  }
}

describe('chooseShard', () => {
  it('counts from 1 on the command line, and is the whole where nothing is said', () => {
    expect(chosen({})).toBe('0 of 1');
    expect(chosen({ shard: '1/1' })).toBe('0 of 1');
    expect(chosen({ shard: '2/8' })).toBe('1 of 8');
    expect(chosen({ shard: '8/8' })).toBe('7 of 8');
  });

  it('refuses what is not a shard', () => {
    for (const shard of ['0/8', '9/8', '1', '1/0', '-1/8', 'a/b', '1/8/2', '']) {
      expect(chosen({ shard })).toMatch(/^usage: --shard .*is not a valid shard/);
    }
  });

  it.each([
    ['Kubernetes', { JOB_COMPLETION_INDEX: '3' }, { shards: 4 }, '3 of 4'],
    ['Kubernetes, with the number in the environment', { JOB_COMPLETION_INDEX: '0', SCORE_BATCH_SHARDS: '4' }, {}, '0 of 4'],
    ['Cloud Run', { CLOUD_RUN_TASK_INDEX: '1', CLOUD_RUN_TASK_COUNT: '2' }, {}, '1 of 2'],
    ['Cloud Run, one task', { CLOUD_RUN_TASK_INDEX: '0', CLOUD_RUN_TASK_COUNT: '1' }, {}, '0 of 1'],
    ['AWS Batch', { AWS_BATCH_JOB_ARRAY_INDEX: '7', AWS_BATCH_JOB_ARRAY_SIZE: '8' }, {}, '7 of 8'],
    ['a flag before what the scheduler says', { JOB_COMPLETION_INDEX: '3' }, { shard: '1/2' }, '0 of 2'],
  ])('understands %s', (_, environment, flags, expected) => {
    expect(chosen(flags, environment)).toBe(expected);
  });

  it.each([
    ['a number without an index', {}, { shards: 4 }, /the shard of this process is unknown/],
    ['an index without a number', { JOB_COMPLETION_INDEX: '3' }, {}, /the number of shards is unknown/],
    [
      'an index beyond the number',
      { JOB_COMPLETION_INDEX: '4' },
      { shards: 4 },
      /JOB_COMPLETION_INDEX=4 is not a valid shard of 4/,
    ],
    [
      'two numbers',
      { CLOUD_RUN_TASK_INDEX: '0', CLOUD_RUN_TASK_COUNT: '2' },
      { shards: 3 },
      /says 3 shards, but CLOUD_RUN_TASK_COUNT says 2/,
    ],
    ['a word for a number', { SCORE_BATCH_SHARDS: 'many' }, {}, /SCORE_BATCH_SHARDS=many/],
  ])('refuses %s', (_, environment, flags, expected) => {
    expect(chosen(flags, environment)).toMatch(expected);
  });
});
