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
    .option('--from <instant>', 'start of a window that has no name')
    .option('--until <instant>', 'its end, exclusive')
    .option('--to <run>', 'run to go back to (default: the one that was published before)')
    .option('--reason <text>', 'why, for the ledger')
    .option('--dry-run', 'show what would change, and change nothing')
    .option('--force', 'go back even to scores that were rolled back, and replace report files that this job did not write')
    .option('--no-deliver', 'send no correction to who was told; see delivery in the job file')
    .option('--shadow', 'instead of a window: let people read the batch again, not the current table')
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

  addJobOption(program.command('gc').description('show what runs have left in scratch and no run needs any more'))
    .option('--apply', 'drop it')
    .action(async (flags: GcFlags) => {
      const { gcCommand } = await import('./gc.ts');
      show(await gcCommand(flags, context()));
    });

  addJobOption(program.command('erase').description('remove a person from tables, history, kept rows and report files'))
    .requiredOption('--key <value...>', "values of the key's columns, as the scores table shows them")
    .option('--reason <text>', 'why; the ledger keeps it, so it must not name the person')
    .option('--dry-run', 'show the rows per table, and change nothing')
    .action(async (flags: EraseFlags) => {
      const { eraseCommand } = await import('./erase.ts');
      show(await eraseCommand(flags, context()));
    });

  addJobOption(program.command('check').description('check connections, rights, model and execution provider')).action(
    async (flags: JobFlags) => {
      const { checkCommand } = await import('./check.ts');
      const { data, text, failed, failure } = await checkCommand(flags, context());
      show({ data, text: program.opts<GlobalFlags>().quiet ? failed : text });
      if (failure !== undefined) throw failure;
    },
  );

  addJobOption(program.command('promote').description("make the job's challenger its model, once their comparisons allow it"))
    .option('--force', 'promote it whatever the comparisons say; needs --reason')
    .option('--reason <text>', 'why; kept in the ledger')
    .option('--dry-run', 'show what would change')
    .option('--shadow', 'instead: let people read the current table, once its comparisons with the batch allow it')
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
    .option('--service <name>', 'the feature service, where the repo has several')
    .action(async (name: string, flags: InitFlags) => {
      const { initCommand } = await import('./init.ts');
      showData(await initCommand(name, flags, context()));
    });
}
