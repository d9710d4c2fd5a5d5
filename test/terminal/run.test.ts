import { spawn } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { LINEAR_USERS, linearProject } from '../support/linear-project.ts';
import { repository } from '../support/project.ts';
import { scoreBatchProcess } from '../support/score-batch.ts';

// Whole runs in a pseudo terminal, or without one, that last long enough to be looked at.

const ROWS = 1_000_000;
/** A day's rows from a query that takes its time. */
const slowProject = (frozen: boolean) =>
  linearProject({
    users: LINEAR_USERS.replace('range(100)', `range(${ROWS})`),
    edit: (job) =>
      job
        .replace('chunk_rows: 10', `chunk_rows: 50000\n  workers: 1\n  batch_rows: 2000`)
        .replace('source:', `source:\n  freeze: ${frozen ? 'always' : 'auto'}`),
  });

/** At least two seconds in the model, since a rate needs time to be one: 500 batches of 4 ms. */
const SLOW = {
  NODE_OPTIONS: `--import ${pathToFileURL(repository('test/support/slow-step.mjs'))}`,
  SLOW_STEP: 'model',
  SLOW_MS: '4',
};

const SPINNER = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏';

/** What a terminal got. @param widths the terminal is resized to, in turn, one every half second */
async function inTerminal(
  folder: string,
  widths: readonly number[],
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
) {
  const script = repository('test/support/in_terminal.py');
  const command = [script, widths.join(','), '[]', process.execPath, repository('dist/cli.js'), ...args];
  const child = spawn('python3', command, {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      TERM: 'xterm',
      LANG: 'C.UTF-8',
      SCORE_BATCH_NOW: '1997-03-17T08:00:00-05:00',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let raw = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (raw += text));
  const code = await new Promise((resolve) => child.once('close', resolve));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal gets
  const lines = raw.replaceAll(/\u001b\[\d+m/g, '').split(/\u001b\[J|\r?\n|\r/);
  return {
    raw,
    code,
    /** Drawings of stages that run. */
    drawn: lines.filter((line) => SPINNER.includes(line.charAt(0)) && line !== ''),
    stayed: lines.filter((line) => /^[✓✗]/.test(line)),
    others: lines.filter((line) => line !== '' && !`${SPINNER}✓✗`.includes(line.charAt(0))),
  };
}

it.each([
  [40, false],
  [80, true],
  [120, false],
])('shows one line per stage on a terminal of %i columns (frozen: %s)', async (width, frozen) => {
  const folder = await slowProject(frozen);
  const { drawn, stayed, code, raw } = await inTerminal(folder, [width], ['--week'], SLOW);
  expect(code).toBe(0);
  expect(stayed.map((line) => line.slice(2).split(/ {2,}/)[0])).toEqual(
    frozen
      ? ['plan', 'freeze', 'score', 'reconcile', 'publish', 'report', 'clean up']
      : ['plan', 'score', 'reconcile', 'publish', 'report', 'clean up'],
  );
  for (const line of stayed) expect(line).toMatch(/ \d+\.\d s( |$)/);
  expect(stayed.find((line) => line.includes(' score '))).toMatch(width === 40 ? /1\.00M|1,000,000 rows$/ : /1,000,000 rows/);
  expect(drawn.length).toBeGreaterThan(5);
  // One column stays free: a terminal may wrap a line that fills it.
  for (const line of [...drawn, ...stayed]) expect([...line].length, line).toBeLessThan(width);
  // No drawing moves on before the one before is erased, and nothing but the last line of a stage ends one.
  expect(raw).not.toMatch(new RegExp(`[${SPINNER}][^\\r\\n]*\\n`));
  const scoring = drawn.filter((line) => /score/.test(line));
  const done = scoring.map((line) => Number(/([\d,]+) (of|rows)/.exec(line)?.[1]?.replaceAll(',', '') ?? 0));
  expect([...done].sort((a, b) => a - b)).toEqual(done);
  if (width === 120) expect(drawn.some((line) => /rows\/s .* MiB/.test(line))).toBe(true);
  if (frozen) expect(drawn.some((line) => /of 1,000,000 rows.* \d+:\d\d left/.test(line))).toBe(true);
});

it('fits the terminal after each resize, and expects as many rows as last time, about', async () => {
  const folder = await slowProject(false);
  expect((await scoreBatchProcess(folder, ['--week', '-q'])).code).toBe(0);
  const { drawn } = await inTerminal(folder, [120, 40, 90, 30, 80], ['--week', '--fresh'], SLOW);
  expect(drawn.some((line) => line.includes('of about 1,000,000 rows'))).toBe(true);
  const lengths = drawn.map((line) => [...line].length);
  expect(Math.max(...lengths)).toBeLessThan(120);
  expect(Math.max(...lengths)).toBeGreaterThan(40);
  expect(lengths.some((length) => length < 40)).toBe(true);
});

it('shows a stage that fails, and then the error, whose first word is red', async () => {
  const folder = await linearProject({ edit: (job) => job.replace('min_rows: 1', 'min_rows: 1000') });
  const { stayed, raw, others, code } = await inTerminal(folder, [80], ['--week']);
  expect(code).toBe(65);
  expect(stayed.at(-1)).toMatch(/^✗ reconcile/);
  expect(others.find((line) => line.startsWith('error:'))).toBeDefined();
  expect(raw).toContain('\u001b[31merror:\u001b[39m');
  const plain = await inTerminal(folder, [80], ['--week'], { NO_COLOR: '1' });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours
  expect(plain.raw).not.toMatch(/\u001b\[\d+m/);
});

it.each([
  ['-q', {}],
  ['-v', {}],
  ['--week', { SCORE_BATCH_LOG: 'json' }],
  ['--week', { TERM: 'dumb' }],
])('draws no line on a terminal with %s and %j', async (flag, environment) => {
  const folder = await linearProject();
  const { raw, drawn, stayed, code } = await inTerminal(
    folder,
    [80],
    ['--week', ...(flag === '--week' ? [] : [flag])],
    environment,
  );
  expect(code).toBe(0);
  expect([...drawn, ...stayed]).toEqual([]);
  expect(raw).not.toContain('\u001b[J');
});

it('writes a line with the time in UTC each interval while a stage lasts, without a terminal', async () => {
  const folder = await slowProject(true);
  const { stderr, code } = await scoreBatchProcess(folder, ['--week'], { ...SLOW, SCORE_BATCH_PROGRESS_SECONDS: '0.2' });
  expect(code).toBe(0);
  const lines = stderr.split('\n').filter((line) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ /.test(line));
  expect(lines.length).toBeGreaterThan(2);
  expect(
    lines.some((line) =>
      /Z score: [\d,]+ of 1,000,000 rows, \d+%, .*[\d,]+ rows\/s, \d+:\d\d left, \d+ MiB, \d+ s$/.test(line),
    ),
  ).toBe(true);
  expect(stderr).not.toContain('\u001b');
});

it('writes the same as JSON, with a number in each field', async () => {
  const folder = await slowProject(true);
  const { stderr } = await scoreBatchProcess(folder, ['--week'], {
    ...SLOW,
    SCORE_BATCH_PROGRESS_SECONDS: '0.2',
    SCORE_BATCH_LOG: 'json',
  });
  const lines = stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const scoring = lines.filter(({ stage, rows_per_second: rate }) => stage === 'score' && rate !== null);
  expect(scoring.length).toBeGreaterThan(0);
  expect(scoring.at(-1)).toMatchObject({
    level: 'info',
    job: 'linear',
    window: '1997-W11',
    rows: expect.any(Number),
    rows_total: ROWS,
    rows_total_is_guess: false,
    seconds_left: expect.any(Number),
    memory_bytes: expect.any(Number),
    statement: null,
  });
});

it('writes no such line in a run that is quick, nor with -q, and refuses an interval that is none', async () => {
  const folder = await linearProject();
  const quick = await scoreBatchProcess(folder, ['--week']);
  expect(quick.stderr).not.toMatch(/^\d{4}-\d\d-\d\dT/m);
  const quiet = await scoreBatchProcess(folder, ['--week', '-q', '--fresh'], { SCORE_BATCH_PROGRESS_SECONDS: '0.01' });
  expect(quiet).toMatchObject({ code: 0, stderr: '' });
  const refused = await scoreBatchProcess(folder, ['--week'], { SCORE_BATCH_PROGRESS_SECONDS: 'often' });
  expect(refused).toMatchObject({ code: 64, stderr: expect.stringContaining('SCORE_BATCH_PROGRESS_SECONDS=often') });
});

it('leaves columns of the status out on a narrow terminal, and none where stdout is a pipe', async () => {
  const folder = await linearProject();
  expect((await scoreBatchProcess(folder, ['--week', '-q'])).code).toBe(0);
  const { others } = await inTerminal(folder, [60], ['status']);
  expect(others).toContainEqual(expect.stringMatching(/^\d columns? left out: the terminal is 60 wide; --json has all$/));
  expect(others[0]).toMatch(/^window +state .* rows /);
  expect(others[0]).not.toMatch(/ run$/);
  expect((await scoreBatchProcess(folder, ['status'])).stdout).toMatch(/^window .* run$/m);
});
