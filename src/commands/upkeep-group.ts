import { Argument } from 'commander';
import type { CommandLine } from './command-line.ts';
import type { EraseFlags } from './erase.ts';
import type { GcFlags } from './gc.ts';
import type { InitFlags } from './init.ts';
import { addJobOption, addNamedWindowOptions, type GlobalFlags, type JobFlags } from './options.ts';
import type { PromoteFlags } from './promote.ts';
import type { RollbackFlags } from './rollback.ts';

/** Flags of `rollback` that concern windows. */
const BESIDE_SHADOW = {
  week: '--week',
  date: '--date',
  hour: '--hour',
  from: '--from',
  until: '--until',
  to: '--to',
  force: '--force',
};

/** Commands that set up and maintain a job. */
export function addUpkeepCommands({ program, context, show, showData }: CommandLine): void {
  addNamedWindowOptions(
    addJobOption(program.command('rollback').description('make an earlier publication of a window current again')),
  )
    .option('--from <instant>', 'start of a window that is not a week, day or hour')
    .option('--until <instant>', 'end of that window, exclusive')
    .option('--to <run>', 'run to roll back to (default: the one published before the current one)')
    .option('--reason <text>', 'reason, kept in the ledger')
    .option('--dry-run', 'show what would change, without changing anything')
    .option('--force', 'restore even scores that were rolled back, and replace report files that this job did not write')
    .option('--no-deliver', 'send no corrections to those who were notified; see delivery in the job file')
    .option('--shadow', 'instead of a window: switch the view back to the scores of the batch')
    .action(async (flags: RollbackFlags & { readonly shadow?: boolean }) => {
      if (flags.shadow === true) {
        const { refuseBeside, switchShadowCommand } = await import('./switch-shadow.ts');
        refuseBeside(flags, BESIDE_SHADOW);
        show(await switchShadowCommand('batch', flags, context()));
        return;
      }
      const { rollbackCommand } = await import('./rollback.ts');
      showData(await rollbackCommand(flags, context()));
    });

  addJobOption(program.command('gc').description('show what runs left in scratch that no run needs any longer'))
    .option('--apply', 'drop it')
    .action(async (flags: GcFlags) => {
      const { gcCommand } = await import('./gc.ts');
      show(await gcCommand(flags, context()));
    });

  addJobOption(program.command('erase').description('remove a person from tables, history, kept rows and report files'))
    .requiredOption('--key <value...>', "values of the key's columns, as the scores table shows them")
    .option('--reason <text>', 'reason; the ledger keeps it, so it must not name the person')
    .option('--dry-run', 'show the rows per table, without changing anything')
    .action(async (flags: EraseFlags) => {
      const { eraseCommand } = await import('./erase.ts');
      show(await eraseCommand(flags, context()));
    });

  addJobOption(program.command('check').description('check connections, permissions, model and execution provider')).action(
    async (flags: JobFlags) => {
      const { checkCommand } = await import('./check.ts');
      const { data, text, failed, failure } = await checkCommand(flags, context());
      show({ data, text: program.opts<GlobalFlags>().quiet ? failed : text });
      if (failure !== undefined) throw failure;
    },
  );

  addJobOption(program.command('promote').description("make the job's challenger its model, if their comparisons allow it"))
    .option('--force', 'promote whatever the comparisons say; needs --reason')
    .option('--reason <text>', 'reason, kept in the ledger')
    .option('--dry-run', 'show what would change, without changing anything')
    .option('--shadow', 'instead: switch the view to the current table, if its comparisons with the batch allow it')
    .action(async (flags: PromoteFlags & { readonly shadow?: boolean }) => {
      if (flags.shadow === true) {
        const { switchShadowCommand } = await import('./switch-shadow.ts');
        show(await switchShadowCommand('current', flags, context()));
        return;
      }
      const { promoteCommand } = await import('./promote.ts');
      show(await promoteCommand(flags, context()));
    });

  program
    .command('completion')
    .description('print a completion script for a shell; docs/terminal.md says how to load it')
    .addArgument(new Argument('<shell>', 'the shell').choices(['bash', 'zsh', 'fish']))
    .action(async (shell: string) => {
      const { completionCommand } = await import('./completion.ts');
      show(completionCommand(shell, program));
    });

  program
    .command('init <name>')
    .description('write a commented job file and its query')
    .option('--model <bundle>', 'fill in what this model needs; requires --table, or --feast')
    .option('--table <name>', 'fill in key, features and window from the columns of this table; requires --model, or --feast')
    .option('--warehouse <url>', 'warehouse of the table (default: WAREHOUSE_URL, else duckdb:data/warehouse.duckdb)')
    .option('--feast <repo>', 'write the point-in-time query of a feature service of this Feast repo, or dump of its registry')
    .option('--service <name>', 'the feature service, if the repo has several')
    .action(async (name: string, flags: InitFlags) => {
      const { initCommand } = await import('./init.ts');
      showData(await initCommand(name, flags, context()));
    });
}
