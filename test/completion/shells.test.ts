import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { completionCommand } from '../../src/commands/completion.ts';
import { buildProgram } from '../../src/commands/program.ts';
import { repository } from '../support/project.ts';

const none = () => undefined;
const program = buildProgram(none as never, none, none);
const script = (shell: string) => completionCommand(shell, program).text;
/** zsh and fish are not on every machine. */
const has = (shell: string) => spawnSync(shell, ['-c', 'true']).status === 0;

/** What is typed, and what a shell must offer: exactly this, or among others. */
const CASES: readonly (readonly [typed: string, offered: readonly string[]])[] = [
  ['score-batch pla', ['plan']],
  ['score-batch model ins', ['inspect']],
  ['score-batch model inspect --prov', ['--providers']],
  ['score-batch --allow-o', ['--allow-open']],
  ['score-batch -q --week 2026-W47 --allow-o', ['--allow-open']],
  // A value is not a command: `plan` is a folder here.
  ['score-batch -C plan status --lim', ['--limit']],
  ['score-batch status --job churn-w', ['churn-weekly']],
  ['score-batch completion f', ['fish']],
];

let folder: string;
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'score-batch-test-'));
  mkdirSync(path.join(folder, 'jobs'));
  for (const name of ['churn-weekly.yaml', 'churn-daily.yml', '$(touch owned).yaml', 'job.schema.json'])
    writeFileSync(path.join(folder, 'jobs', name), '');
  for (const shell of ['bash', 'zsh', 'fish']) writeFileSync(path.join(folder, `script.${shell}`), script(shell));
});

function inBash(words: readonly string[]): string[] {
  const code = `source script.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _score_batch; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const out = execFileSync('bash', ['-c', code, 'bash', ...words], { cwd: folder, encoding: 'utf8' });
  return out.trimEnd().split('\n');
}

it.each(CASES)('bash completes %j', (typed, offered) => {
  expect(inBash(typed.split(' '))).toEqual(offered);
});

it('bash offers every command, the names of jobs and no other file of jobs/, and runs no name of a file', () => {
  expect(inBash(['score-batch', ''])).toEqual(program.commands.map((command) => command.name()));
  const jobs = inBash(['score-batch', '--job', '']).filter((name) => !/^(jobs|script\.\w+)$/.test(name));
  expect(jobs.sort()).toEqual(['$(touch owned)', 'churn-daily', 'churn-weekly']);
  expect(inBash(['score-batch', '--job', '=', 'churn-d'])).toEqual(['churn-daily']);
  expect(inBash(['score-batch', '--job', '=', 'plan', 'status', '--lim'])).toEqual(['--limit']);
  expect(execFileSync('ls', { cwd: folder, encoding: 'utf8' })).not.toContain('owned');
});

it('bash offers at each command every flag that its help shows', () => {
  for (const command of program.commands.flatMap((one) => (one.commands.length > 0 ? [...one.commands] : [one]))) {
    const words = [...(command.parent === program ? [] : [command.parent?.name() ?? '']), command.name()];
    const shown = command
      .createHelp()
      .visibleOptions(command)
      .flatMap(({ short, long }) => [short, long].filter((one) => one));
    const offered = inBash(['score-batch', ...words, '-']);
    expect(offered, words.join(' ')).toEqual(expect.arrayContaining(shown));
  }
});

// A shell that is not installed cannot be asked; CI installs both.
it.skipIf(!has('fish')).each(CASES)('fish completes %j', (typed, offered) => {
  const out = execFileSync('fish', ['-c', 'source script.fish; complete -C $argv[1]', typed], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect(
    out
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t')[0]),
  ).toEqual(offered);
});

// As for fish.
it.skipIf(!has('zsh')).each(CASES)('zsh completes %j, as it is typed in a terminal', (typed, [offered = '']) => {
  writeFileSync(
    path.join(folder, '.zshrc'),
    `autoload -U compinit; compinit -u -D; PS1='ready '; unsetopt PROMPT_SP; source script.zsh
show() { print -r -- "[$BUFFER]" > shown; exit }; zle -N show; bindkey '^X' show`,
  );
  const keys = JSON.stringify([['ready ', `${typed}\t\u0018`]]);
  const run = [repository('test/support/in_terminal.py'), '200', keys, 'env', `ZDOTDIR=${folder}`, 'TERM=vt100', 'zsh', '-i'];
  spawnSync('python3', run, { cwd: folder, timeout: 60_000 });
  const buffer = execFileSync('cat', ['shown'], { cwd: folder, encoding: 'utf8' });
  expect(buffer.trim()).toBe(`[${typed.replace(/\S*$/, offered)} ]`);
});
