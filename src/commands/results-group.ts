import type { CommandLine } from './command-line.ts';
import type { CompareFlags } from './compare.ts';
import type { EvaluateFlags } from './evaluate.ts';
import type { ExplainFlags } from './explain.ts';
import { positiveInteger, rowShare, watchSeconds } from './numbers.ts';
import { addJobOption, addWindowOptions, FORCE_REPORT, toDuration } from './options.ts';
import type { ProfileFlags } from './profile.ts';
import type { ReportFlags } from './report.ts';
import type { StatusFlags } from './status.ts';

/** Commands that show what is published. */
export function addResultCommands({ program, context, show, showData }: CommandLine): void {
  addJobOption(
    program.command('status').description('show the ledger by window: runs, states, counts, and windows that are missing'),
  )
    .option(
      '--limit <runs>',
      'how many of the newest runs, and of the newest missing windows, to show (default: 20)',
      positiveInteger,
    )
    .option('--since <time>', 'only windows from this week, date or instant on')
    .option('--state <list>', 'only these states, e.g. refused,failed,missing')
    .option('--slices', 'show the slices of incremental instead: the position, and what each slice read, scored and took')
    .option('--watch [seconds]', 'refresh every few seconds until Ctrl-C or --timeout (default: 5)', watchSeconds)
    .action(async (flags: StatusFlags) => {
      const { statusCommand } = await import('./status.ts');
      await statusCommand(flags, context(), show);
    });

  addWindowOptions(addJobOption(program.command('report').description("write a window's report file again, without scoring")))
    .option('--force', FORCE_REPORT)
    .action(async (flags: ReportFlags) => {
      const { reportCommand } = await import('./report.ts');
      showData(await reportCommand(flags, context()));
    });

  addWindowOptions(
    addJobOption(
      program
        .command('explain')
        .argument('<key...>', "values of the key's columns, as the scores table shows them")
        .description("show the reasons for a user's score, its run and model, and the user's earlier scores"),
    ),
  )
    .option('--features <n>', 'how many features to name', positiveInteger)
    .action(async (key: readonly string[], flags: ExplainFlags) => {
      const { explainCommand } = await import('./explain.ts');
      show(await explainCommand(key, flags, context()));
    });

  addWindowOptions(
    addJobOption(
      program.command('evaluate').description("compare a window's published scores with the known outcomes of its users"),
    ),
  ).action(async (flags: EvaluateFlags) => {
    const { evaluateCommand } = await import('./evaluate.ts');
    show(await evaluateCommand(flags, context()));
  });

  addCompareCommand({ program, context, show });

  addWindowOptions(
    addJobOption(program.command('profile').description('show where past runs spent their time, and what slices would cost')),
  )
    .option('--freshness <duration>', 'name the cheapest interval that keeps rows younger than this, e.g. 2h', toDuration)
    .option(
      '--changed-share <share>',
      "share of a window's rows that arrives in an hour, e.g. 5% (default: an even share)",
      rowShare,
    )
    .option('--any-host', 'compare runs of all hosts; for setups in which each run has its own machine or pod')
    .option('--measure', 'score three slices of a window now and publish nothing, instead of reading the ledger')
    .action(async (flags: ProfileFlags) => {
      const { profileCommand } = await import('./profile.ts');
      show(await profileCommand(flags, context()));
    });
}

function addCompareCommand({ program, context, show }: Pick<CommandLine, 'program' | 'context' | 'show'>): void {
  addJobOption(
    program
      .command('compare')
      .argument('[a]', 'a window, such as 2026-W46, or the id of a run')
      .argument('[b]', 'the same')
      .description('compare the scores of two windows or runs, or of a window with those of another model'),
  )
    .option('--model <bundle>', "instead of B: score A's window with this bundle, without publishing")
    .option('--with-job <name|file>', 'the job of B, if different')
    .option('--page <file>', 'write the comparison as an HTML page')
    .option('--largest <n>', 'how many of the largest differences to show (default: 20)', positiveInteger)
    .option('--shadow', 'instead of A and B: compare the current table with the windows of the batch')
    .action(async (a: string | undefined, b: string | undefined, flags: CompareFlags) => {
      const { compareCommand } = await import('./compare.ts');
      const compared = await compareCommand(a, b, flags, context());
      show(compared);
      if (compared.refusal) throw compared.refusal;
    });
}
