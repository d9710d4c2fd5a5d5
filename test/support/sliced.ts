import { start } from '../crash/kill.ts';
import { type Outcome, scoreBatch } from './score-batch.ts';
import { ask } from './slice-project.ts';

/** A slice as `--json` prints it. */
export interface PrintedSlice {
  readonly run_id: string;
  readonly state: string;
  readonly kind: string;
  readonly as_of: string;
  readonly spans: readonly { readonly source: string; readonly from: string | null; readonly to: string }[];
  readonly outcome: Readonly<Record<string, number>>;
}

/** The slices of a command that ended well. */
function slicesIn({ code, stdout, stderr }: Outcome): readonly PrintedSlice[] {
  if (code !== 0) throw new Error(`ended with ${code}: ${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '').slices;
}

/** Runs `score-batch --slice`. @throws Error if it does not end well */
export async function sliced(
  folder: string,
  flags: readonly string[] = [],
  environment: NodeJS.ProcessEnv = {},
): Promise<readonly PrintedSlice[]> {
  return slicesIn(await scoreBatch(folder, ['--slice', '--json', ...flags], environment));
}

/** Runs `score-batch --slice` that should fail. */
export async function failedSlice(folder: string, ...flags: string[]): Promise<Pick<Outcome, 'code' | 'stderr'>> {
  const { code, stderr } = await scoreBatch(folder, ['--slice', ...flags]);
  return { code, stderr };
}

/** Everything of the current table, and the position. */
export async function stateOf(folder: string): Promise<object> {
  const rows = await ask(folder, 'select * from marketing.current order by user_id');
  const [position] = await ask(
    folder,
    `select max(publication) as position from marketing.score_batch_ledger where job = 'linear.incremental'`,
  );
  return { rows, position };
}

/** Runs a slice that is killed once it has staged a chunk: its keys and rows are frozen. */
export async function killSlice(folder: string): Promise<void> {
  const point = { pattern: /\/staged\/chunk-/, phase: 'after' as const, occurrence: 1 };
  const { signal, stderr } = await start({ folder, environment: {} }, point, ['--slice', '--workers', '1']).ended;
  if (signal !== 'SIGKILL') throw new Error(`the slice was not killed: ${stderr}`);
}
