import { InvalidArgumentError } from 'commander';
import { WAREHOUSE_KINDS } from '../domain/warehouse-kind.ts';
import type { CommandLine } from './command-line.ts';
import { instantOf, positiveInteger } from './numbers.ts';
import { addJobOption, addNamedWindowOptions } from './options.ts';
import type { StreamCompareFlags } from './stream-compare.ts';
import type { StreamPlanFlags } from './stream-plan.ts';
import type { StreamReplayFlags } from './stream-replay.ts';
import type { StreamFlags } from './stream-run.ts';
import type { StreamSqlFlags } from './stream-sql.ts';

/** Commands for stream jobs. `run` is the default: `score-batch stream --job fraud`. */
export function addStreamCommands({ program, context, show }: CommandLine): void {
  const stream = program.command('stream').description('score events as they arrive, with features of the last minutes');
  const run = stream
    .command('run', { isDefault: true })
    .description('score the events of a topic, each exactly once, until a signal ends it (the default command of stream)');
  addJobOption(run)
    .option('--events <file>', 'score the events of a file instead, one JSON object per line; - for stdin')
    .option('--out <file>', 'with --events: scores, one per line (default: stdout)')
    .option('--dead-letter <file>', 'with --events: records that are not scored (default: only counted)')
    .option('--alerts <file>', 'with --events: scores whose decision is in alert_on (default: only counted)')
    .option('--attributes <file>', 'with --events: rows of the attribute topic, one JSON object per line with the key')
    .option('--partitions <n>', 'with --events: number of partitions to spread keys over (default: 1)', positiveInteger)
    .option('--start <earliest|latest>', 'where a group without committed offsets begins (default: latest)', startOf)
    .option('--accept-new-group', 'with --start: begin a group without committed offsets although scores already exist')
    .option('--accept-features', 'continue although the features have changed since the last commit')
    .action(async (flags: StreamFlags) => {
      const { streamCommand } = await import('./stream-run.ts');
      await streamCommand(flags, context());
    });
  addJobOption(stream.command('plan').description('print what the stream would do, or its features as a Flink SQL job'))
    .option('--engine <flink>', 'print Flink SQL instead, which writes the features to a topic (as of event only)')
    .option('--checkpoint <seconds>', 'with --engine: how often Flink commits what it writes (default: 10)', positiveInteger)
    .action(async (flags: StreamPlanFlags) => {
      const { streamPlanCommand } = await import('./stream-plan.ts');
      show(await streamPlanCommand(flags, context()));
    });
  addJobOption(stream.command('sql').description('print the SQL that computes the same features in a warehouse'))
    .option('--table <table>', 'table with the events')
    .option('--warehouse <kind>', `with --table: ${WAREHOUSE_KINDS.join(', ')} (default: duckdb)`)
    .option('--batch <name|file>', 'instead of --table: batch job whose source.events names table, warehouse and attributes')
    .option('--from <instant>', 'start of the event times, instead of the parameter :window_start', instantOf)
    .option('--to <instant>', 'end of the event times, exclusive, instead of :window_end', instantOf)
    .action(async (flags: StreamSqlFlags) => {
      const { streamSqlCommand } = await import('./stream-sql.ts');
      show(await streamSqlCommand(flags, context()));
    });
  addNamedWindowOptions(
    addJobOption(
      stream.command('compare').description('compare what a stream wrote with what a batch job published for the same events'),
    ).requiredOption('--batch <name|file>', 'batch job that scores the events of the warehouse'),
  )
    .option('--scores <file>', 'scores of the stream, one per line (default: the topics of the job file)')
    .option('--dead-letter <file>', 'with --scores: records that were not scored')
    .option('--allow-other', 'leave out scores made with another model or other features instead of refusing them')
    .option('--named <n>', 'most events to list of each kind (default: 20)', positiveInteger)
    .action(async (flags: StreamCompareFlags) => {
      const { streamCompareCommand } = await import('./stream-compare.ts');
      const compared = await streamCompareCommand(flags, context());
      show(compared);
      if (compared.refusal) throw compared.refusal;
    });
  addJobOption(
    stream.command('replay').description('score the events of a time range again, with any model, into a topic of its own'),
  )
    .requiredOption('--from <instant>', 'start of the event times, such as 2026-11-27T08:00:00Z', instantOf)
    .requiredOption('--to <instant>', 'end of the event times, exclusive', instantOf)
    .requiredOption('--topic <topic>', 'empty topic for the scores')
    .option('--model <bundle>', 'model bundle (default: that of the job)')
    .option('--dead-letter <topic>', 'empty topic for records that are not scored (default: only counted)')
    .action(async (flags: StreamReplayFlags) => {
      const { streamReplayCommand } = await import('./stream-replay.ts');
      show(await streamReplayCommand(flags, context()));
    });
  // Like `run` in the program: `score-batch stream --help` shows the flags of its default command.
  stream.configureHelp({
    showGlobalOptions: true,
    visibleOptions: (command) => [...(command === stream ? run.options : []), ...command.options],
  });
}

function startOf(text: string): 'earliest' | 'latest' {
  if (text === 'earliest' || text === 'latest') return text;
  throw new InvalidArgumentError('It must be earliest or latest.');
}
