import path from 'node:path';
import { statements } from '../../support/project.ts';
import { scoreBatch } from '../../support/score-batch.ts';
import { FEATURES, JOB, streamProject } from '../stream-project.ts';

const LOG = 'log: { partition: kafka_partition, offset: kafka_offset, timestamp: kafka_timestamp }\n';

const DAILY = `name: fraud-daily
model: model
time_zone: UTC
every: day
source:
  warehouse: duckdb:data/warehouse.duckdb
  events: { features: jobs/fraud.features.yaml, table: transactions }
  key: [transaction_id]
score:
  column: fraud_score
sink:
  table: fraud.scores
  keep: [a, since_last]
`;

/** 1997-03-15, before the clock of the tests. */
const DAY = Date.UTC(1997, 2, 15);

/** An event as a line, with the place where a log keeps it. */
export interface Line {
  readonly transaction_id: string;
  readonly user_id: string;
  readonly at: number;
  readonly amount: number;
  readonly merchant: string;
  readonly kafka_partition: number;
  readonly kafka_offset: number;
  readonly kafka_timestamp: number;
}

/**
 * Events of a day and its neighbours, most of them up to 4 s out of order, with ties, and in the day 6 that are late and 5 that come
 * twice.
 */
export function linesOfDay(count = 3000): Line[] {
  let state = 18;
  const random = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return Math.floor((state / 0x8000_0000) * below);
  };
  const next = [0, 0];
  const lines: Line[] = [];
  const put = (event: Omit<Line, 'kafka_partition' | 'kafka_offset' | 'kafka_timestamp'>, now: number) => {
    const partition = Number(event.user_id.slice(1)) % 2;
    const offset = next[partition] ?? 0;
    next[partition] = offset + 1;
    lines.push({ ...event, kafka_partition: partition, kafka_offset: offset, kafka_timestamp: now });
  };
  for (let i = 0; i < count; i += 1) {
    // From an hour before the day to an hour after it.
    const now = DAY - 3_600_000 + Math.floor((i * 26 * 3_600_000) / count);
    const event = {
      transaction_id: `t${i}`,
      user_id: `u${random(20)}`,
      at: now - random(5) * 1000,
      amount: random(8),
      merchant: `m${random(5)}`,
    };
    put(event, now);
    const withinDay = now > DAY + 3_600_000 && now < DAY + 22 * 3_600_000;
    if (withinDay && i % 400 === 100) put({ ...event, transaction_id: `late${i}`, at: now - 3_600_000 }, now);
    if (withinDay && i % 500 === 200) put(event, now + 1000);
  }
  return lines;
}

/** A project where a stream has scored the lines into `scores.jsonl` and `dead.jsonl`, and a batch job the day. */
export async function comparedProject(lines: readonly Line[]): Promise<string> {
  const folder = await streamProject({
    // The bundle takes `b`.
    job: JOB.replace('features: { b: amount_5m }\n', ''),
    features: FEATURES.replace('amount_5m:', 'b:').replace('features:\n', `${LOG}features:\n`),
    files: {
      'jobs/fraud-daily.yaml': DAILY,
      'events.jsonl': lines.map((line) => `${JSON.stringify(line)}\n`).join(''),
      'data/.keep': '',
    },
  });
  const stream = ['stream', '--job', 'fraud', '--events', 'events.jsonl', '--out', 'scores.jsonl'];
  await succeed(folder, [...stream, '--dead-letter', 'dead.jsonl']);
  const events = path.join(folder, 'events.jsonl');
  await statements(path.join(folder, 'data', 'warehouse.duckdb'), [
    `create table transactions as select * from read_json('${events}', format = 'newline_delimited')`,
  ]);
  await succeed(folder, ['--job', 'fraud-daily', '--date', '1997-03-15']);
  return folder;
}

async function succeed(folder: string, args: readonly string[]): Promise<void> {
  const { code, stderr } = await scoreBatch(folder, args);
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}\n${stderr}`);
}
