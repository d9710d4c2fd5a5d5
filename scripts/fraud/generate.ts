// Writes payments drawn from a seed, for training and experiments: events.jsonl for `score-batch stream --events`, and what a
// warehouse would have: transactions.csv, users.csv, and labels.csv with what people found out later.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { drawDays } from './day.ts';
import { deliver } from './deliveries.ts';
import { eventLines } from './event-lines.ts';
import { labelsCsv, transactionsCsv, usersCsv } from './landed.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    users: { type: 'string', default: '500' },
    payments: { type: 'string', default: '19000' },
    partitions: { type: 'string', default: '3' },
    days: { type: 'string', default: '1' },
    start: { type: 'string', default: '2025-06-02' },
    folder: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
});
if (values.help || values.folder === undefined) {
  process.stdout.write(
    'generate.js --folder DIR [--seed 1] [--users 500] [--payments 19000, a day] [--days 1] [--start 2025-06-02] [--partitions 3]\n',
  );
  process.exit(values.help ? 0 : 64);
}
const seed = Number(values.seed);
const { users, transactions, labels } = drawDays({
  seed,
  users: Number(values.users),
  payments: Number(values.payments),
  days: Number(values.days),
  start: Date.parse(values.start),
});
const deliveries = deliver(transactions, { seed, partitions: Number(values.partitions) });
const folder = path.resolve(values.folder);
mkdirSync(folder, { recursive: true });
const write = (file: string, text: string) => writeFileSync(path.join(folder, file), text);
write('events.jsonl', eventLines(deliveries));
write('transactions.csv', transactionsCsv(deliveries));
write('users.csv', usersCsv(users));
write('labels.csv', labelsCsv(labels));
process.stdout.write(`${deliveries.length} records, ${labels.size} payments of fraud, ${users.length} users: ${folder}\n`);
