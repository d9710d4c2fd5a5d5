import { describe, expect, it } from 'vitest';
import { flinkSql } from '../../../src/event-features/flink/script.ts';
import { readEventFeatures } from '../../../src/event-features/read.ts';

// That Flink takes what is printed and computes the same is tested with Flink: test/flink/.

const FILE = `
name: fraud
as_of: event
key: user_id
id: transaction_id
time: at
fields: { transaction_id: string, user_id: string, at: int64, amount: int64, country: string }
lateness: 5s
skew: 1500ms
features:
  mean_2d: { mean: amount, window: 2d, where: { country: "it's" } }
  count_5m: { count: events, window: 5m }
`;
const TOPICS = { brokers: ['a:9092', 'b:9092'], group: 'fraud-flink', input: 'in', features: 'out', rejected: 'rest' };
const sql = (file = FILE, settings = {}) => flinkSql(readEventFeatures(file, 'fraud.features.yaml'), TOPICS, settings);

describe('the script', () => {
  it('has one statement after the other, with one job for all outputs', () => {
    const heads = sql()
      .trimEnd()
      .split(';\n\n')
      .map((statement) => statement.split('\n')[0]);
    expect(heads).toEqual([
      "SET 'execution.checkpointing.interval' = '10000 ms'",
      "SET 'execution.checkpointing.mode' = 'EXACTLY_ONCE'",
      "SET 'table.exec.state.ttl' = '345610000 ms'",
      "SET 'table.local-time-zone' = 'UTC'",
      'CREATE TABLE `fraud_events` (',
      'CREATE TABLE `fraud_features` (',
      'CREATE TABLE `fraud_rejected` (',
      'CREATE VIEW `fraud_maximum` AS',
      'CREATE VIEW `fraud_newest` AS',
      'CREATE VIEW `fraud_earlier` AS',
      'CREATE VIEW `fraud_verdicts` AS',
      'CREATE VIEW `fraud_accepted` AS',
      'CREATE VIEW `fraud_windows_1` AS',
      'CREATE VIEW `fraud_windows` AS',
      'EXECUTE STATEMENT SET BEGIN',
    ]);
  });

  it('has a watermark one millisecond behind what may still come', () => {
    expect(sql()).toContain("WATERMARK FOR `$row_time` AS `$row_time` - INTERVAL '0 00:00:05.001' DAY TO SECOND(3)");
    expect(sql()).toContain("<= `$timestamp` + INTERVAL '0 00:00:01.500' DAY TO SECOND(3)");
  });

  it('takes no number that JSON does not keep, and windows of the key alone', () => {
    expect(sql()).toContain('(`amount` IS NULL OR `amount` BETWEEN -9007199254740991 AND 9007199254740991)');
    expect(sql(FILE.replace('country: string', 'country: string, rate: float64'))).toContain(
      "(`rate` IS NULL OR `rate` BETWEEN CAST('-1.7976931348623157e+308' AS DOUBLE) AND CAST('1.7976931348623157e+308' AS DOUBLE))",
    );
    expect(sql()).toContain('WINDOW w AS (PARTITION BY `user_id` ORDER BY');
  });

  it('quotes values of conditions, and divides an exact sum by a count', () => {
    expect(sql()).toContain("SUM(CASE WHEN `country` = 'it''s' THEN `amount` END) OVER w AS `$mean_2d:sum`");
    expect(sql()).toContain('CAST(`$mean_2d:sum` AS DOUBLE) / CAST(`$mean_2d:count` AS DOUBLE) AS `mean_2d`');
    expect(sql()).toContain("RANGE BETWEEN INTERVAL '2 00:00:00.000' DAY TO SECOND(3) PRECEDING AND CURRENT ROW");
  });

  it('writes in transactions, reads committed records, and writes no value of a rejected one', () => {
    expect(sql()).toContain("'sink.delivery-guarantee' = 'exactly-once'");
    expect(sql()).toContain("'properties.isolation.level' = 'read_committed'");
    expect(sql()).toContain(
      'CREATE TABLE `fraud_rejected` (\n  `kafka_partition` INT,\n  `kafka_offset` BIGINT,\n  `reason` STRING\n)',
    );
  });

  it('lets a quiet partition go after the idle time of the job only', () => {
    expect(sql()).not.toContain('idle-timeout');
    expect(sql(FILE, { idleMs: 20_000 })).toContain("SET 'table.exec.source.idle-timeout' = '20000 ms'");
  });
});

it('features as of arrival are refused', () => {
  expect(() =>
    sql(FILE.replace('as_of: event', 'as_of: arrival').concat('log: { partition: p, offset: o, timestamp: t }\n')),
  ).toThrow(
    expect.objectContaining({
      kind: 'configuration',
      message: 'the features of fraud are as of arrival, which Flink SQL cannot express',
    }),
  );
});

it('a field with the name of a column of the outputs is refused', () => {
  const clashing = FILE.replace('country: string', 'country: string, Kafka_Offset: int64');
  expect(() => sql(clashing)).toThrow(
    expect.objectContaining({
      kind: 'configuration',
      message: 'Flink writes the position of an event to the column kafka_offset, but fraud already uses that name',
    }),
  );
  expect(sql(`${clashing}log: { partition: p, offset: o, timestamp: t }\n`)).toContain('`o` BIGINT');
});
