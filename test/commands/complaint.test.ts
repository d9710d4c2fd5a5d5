import { expect, it } from 'vitest';
import { buildProgram } from '../../src/commands/program.ts';
import { presentError } from '../../src/terminal/error.ts';

/** What a command line that cannot be meant is told; nothing of a job is looked at. */
async function complaint(line: string): Promise<string> {
  const reached = () => {
    throw new Error('the command was started');
  };
  const program = buildProgram(reached, reached, reached);
  try {
    await program.parseAsync(
      line.split(' ').filter((word) => word !== ''),
      { from: 'user' },
    );
  } catch (error) {
    return presentError(error).text;
  }
  return 'nothing';
}

it.each([
  // A flag of another command, which is not a typo.
  'status --week 2026-W47',
  'model --week',
  'model inspect bundle --job churn',
  '--shard 1/2',
  'report --workers 4',
  // A word that is not a command, or is where none can be.
  'diff A B',
  'frobnicate',
  'statsu',
  'run plan',
  'run publsh',
  '--week 2026-W47 status',
  'plan 2026-W47',
  'status churn daily',
  'model inspct bundle',
  'model frobnicate',
  'model',
  // Slips.
  '--weak',
  'plan --jobb x',
  '--Week=2026-W47',
  '-x',
  '--frobnicate',
  // Something is missing, or is not a value.
  'init',
  'stream replay --from 2026-11-27T08:00:00Z --to 2026-11-27T09:00:00Z',
  'stream replay --from yesterday --to 2026-11-27T09:00:00Z --topic t',
  'model verify',
  'model tensorize bundle',
  'plan --job',
  '--week --workers 0',
  '--week --workers 257',
  '--timeout soon',
  // Only the last value would count.
  '--week 2026-W46 --week 2026-W47',
  '--week --week 2026-W47',
  'plan --job a --job=b',
  '--timeout 5m run --week --timeout 6m',
  '-C a plan -C b',
  'status --limit 1 --limit 2',
])('score-batch %s', async (line) => {
  expect(await complaint(line)).toMatchSnapshot();
});

it.each(['-q -q --week', '--json plan --week --json', '--fresh --fresh --week', '--week 2026-W47 --job churn'])(
  'score-batch %s is a command: a switch that is on stays on',
  async (line) => {
    expect(await complaint(line)).toContain('the command was started');
  },
);
