import type { Command } from 'commander';
import { bashScript } from '../completion/bash.ts';
import { fishScript } from '../completion/fish.ts';
import { type Grammar, grammarOf } from '../completion/grammar.ts';
import { zshScript } from '../completion/zsh.ts';

const SCRIPTS: Readonly<Record<string, (program: Grammar) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/** The completion script for a shell, generated from the program itself. @param shell one that the command line accepts */
export function completionCommand(shell: string, program: Command): { readonly data: object; readonly text: string } {
  const script = SCRIPTS[shell]?.(grammarOf(program));
  if (script === undefined) throw new Error(`no script for ${shell}`);
  return { data: { shell, script }, text: script };
}
