import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { leavesOf } from '../scripts/doc-pages.ts';
import { manPage } from '../scripts/man-page.ts';
import { buildProgram } from '../src/commands/program.ts';
import { EXIT_CODES } from '../src/errors.ts';
import { repository } from './support/project.ts';

const none = () => undefined;
const program = buildProgram(none as never, none, none);
const file = repository('man/score-batch.1');
const has = (command: string) => spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;

it('is what the commands say', () => {
  const template = readFileSync(repository('scripts/docs/cli.md'), 'utf8');
  expect(readFileSync(file, 'utf8'), 'run `npm run docs`').toBe(manPage(template, program, EXIT_CODES));
});

// The formatters are not part of Node; CI installs both.
it.skipIf(!has('groff'))('shows every command, flag and exit code, and nothing that groff warns of', () => {
  const { stdout, stderr } = spawnSync('groff', ['-man', '-Tascii', '-ww', '-P-cbou', '-rLL=200n', file], { encoding: 'utf8' });
  expect(stderr).toBe('');
  const words = stdout.replaceAll(/\s+/g, ' ');
  for (const { name, command } of leavesOf(program)) {
    expect(words).toContain(`score-batch ${name} `);
    for (const { flags } of command.options) expect(words).toContain(flags);
  }
  for (const code of Object.values(EXIT_CODES)) expect(words).toMatch(new RegExp(` ${code} `));
  expect(words).toContain('SCORE_BATCH_PROGRESS_SECONDS');
});

// As for groff.
it.skipIf(!has('mandoc'))('has nothing that mandoc warns of, except that it has no date', () => {
  const { stdout } = spawnSync('mandoc', ['-T', 'lint', '-W', 'warning', file], { encoding: 'utf8' });
  expect(stdout.split('\n').filter((line) => line !== '' && !/missing date/.test(line))).toEqual([]);
});
