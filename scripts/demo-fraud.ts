// The demo of docs/stream.md: a day of a bank, drawn from a seed, with bursts of fraud within minutes. Without a broker,
// `score-batch stream` reads the events from a file; with --kafka they go through a real one, and the process is killed
// meanwhile. Then the same day is scored from the warehouse, and both results are compared. Ends by itself and can be repeated.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { counted } from '../src/domain/counted.ts';
import { makeBank } from './fraud/bank.ts';
import { drawDays } from './fraud/day.ts';
import { deliver } from './fraud/deliveries.ts';
import { eventLines } from './fraud/event-lines.ts';
import { BURSTS, DECISIONS, deadLetters, ONE_BURST, scoredStatements } from './fraud/findings.ts';
import { labelsCsv, transactionsCsv, usersCsv } from './fraud/landed.ts';
import { ROOT } from './root.ts';

const { values: flags } = parseArgs({ options: { kafka: { type: 'boolean', default: false } } });
const SEED = 2;
const DAY = '2025-06-02';
const PARTITIONS = 3;
const JOB = 'jobs/fraud/fraud.yaml';
const DAILY = 'jobs/fraud/fraud-daily.yaml';
/** The demo's own folder; it touches nothing else in the checkout. */
const PLACE = 'data/fraud';
const FOLDER = `${ROOT}${PLACE}`;

const say = (text: string) => process.stdout.write(`${text}\n`);
const write = (file: string, text: string) => writeFileSync(`${FOLDER}/${file}`, text);

const { users, transactions, labels } = drawDays({ seed: SEED, users: 500, payments: 19_000, start: Date.parse(DAY), days: 1 });
const deliveries = deliver(transactions, { seed: SEED, partitions: PARTITIONS });
rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
write('events.jsonl', eventLines(deliveries));
write('transactions.csv', transactionsCsv(deliveries));
write('users.csv', usersCsv(users));
write('labels.csv', labelsCsv(labels));
const bank = await makeBank(FOLDER);
const bursts = new Set([...labels.values()].map(({ burst }) => burst)).size;
say(`# ${DAY}: a day of a bank, drawn from a seed
${counted(users.length, 'user')}, ${counted(transactions.length, 'payment')}. ${counted(labels.size, 'payment is', 'payments are')} fraud, in ${counted(bursts, 'burst')}; no event tells which.
${PLACE}/events.jsonl   ${counted(deliveries.length, 'record')} in the order in which they came: some twice, some late, some broken
${PLACE}/bank.duckdb    tables transactions (a copy of the topic), users, and labels (what people found out later)`);

say('\n# Score each payment as it comes, with the last minutes of its user');
scoreBatch(
  `stream --job ${JOB} --events ${PLACE}/events.jsonl --partitions ${PARTITIONS} --out ${PLACE}/scores.jsonl --dead-letter ${PLACE}/dead-letters.jsonl`,
);
await bank.run(scoredStatements(`${FOLDER}/scores.jsonl`));
say(`\nDecisions, and what was found out later:\n${await bank.table(DECISIONS)}`);
say(`\nBursts of fraud, and at which of its payments a burst was seen first (median):\n${await bank.table(BURSTS)}`);
say(
  `\nOne burst, payment by payment (features of the last five minutes, as the model saw them):\n${await bank.table(ONE_BURST)}`,
);
say(
  `\nNot scored: the dead letters, which have hashes instead of values:\n${await bank.table(deadLetters(`${FOLDER}/dead-letters.jsonl`))}`,
);

const compare = `stream compare --job ${JOB} --batch ${DAILY} --date ${DAY}`;
if (flags.kafka) {
  say('\n# The same through a real Kafka, with a kill -9 in the middle');
  // Imported here because the demo needs a Kafka client only with --kafka.
  const { throughKafka } = await import('./fraud/through-kafka.ts');
  const lines = (file: string) => readFileSync(`${FOLDER}/${file}`, 'utf8').trim().split('\n');
  const expected = { scores: lines('scores.jsonl'), deadLetters: lines('dead-letters.jsonl') };
  const lookBack = (environment: NodeJS.ProcessEnv) => {
    scoreDay();
    scoreBatch(`${compare} --named 3`, environment);
  };
  const isSame = await throughKafka({ job: JOB, deliveries, partitions: PARTITIONS, expected, say, lookBack });
  if (!isSame) process.exit(1);
} else {
  scoreDay();
  scoreBatch(`${compare} --scores ${PLACE}/scores.jsonl --dead-letter ${PLACE}/dead-letters.jsonl --named 3`);
}
say(`\nLeft behind: ${PLACE}/. It is replaced by the next run.`);

function scoreDay(): void {
  say('\n# Look back: the same day from the warehouse, with the same feature file as SQL');
  scoreBatch(`--job ${DAILY} --date ${DAY}`);
}

/** @param command arguments of score-batch, without quotes */
function scoreBatch(command: string, environment: NodeJS.ProcessEnv = {}): void {
  say(`\n$ score-batch ${command}`);
  const { status } = spawnSync(process.execPath, [`${ROOT}dist/cli.js`, ...command.split(' ')], {
    cwd: ROOT,
    env: { ...process.env, ...environment },
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status || 1);
}
