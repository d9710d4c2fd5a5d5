import type { CommandLine } from './command-line.ts';
import type { GcFlags } from './gc.ts';
import type { InitFlags } from './init.ts';
import { addJobOption, type GlobalFlags, type JobFlags } from './options.ts';
import type { PromoteFlags } from './promote.ts';

/** Commands that set a job up and keep it in order. */
export function addUpkeepCommands({ program, context, show, showData }: CommandLine): void {
  addJobOption(program.command('gc').description('show what runs have left in scratch and no run needs any more'))
    .option('--apply', 'drop it')
    .action(async (flags: GcFlags) => {
      const { gcCommand } = await import('./gc.ts');
      show(await gcCommand(flags, context()));
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
    .action(async (flags: PromoteFlags) => {
      const { promoteCommand } = await import('./promote.ts');
      show(await promoteCommand(flags, context()));
    });

  program
    .command('init <name>')
    .description('write a commented job file and its query')
    .option('--model <bundle>', 'fill in what this model needs; requires --table')
    .option('--table <name>', 'fill in key, features and window from the columns of this table; requires --model')
    .option('--warehouse <url>', 'warehouse of the table (default: WAREHOUSE_URL, else duckdb:data/warehouse.duckdb)')
    .action(async (name: string, flags: InitFlags) => {
      const { initCommand } = await import('./init.ts');
      showData(await initCommand(name, flags, context()));
    });
}
