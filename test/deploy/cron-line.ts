import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { repository } from '../support/project.ts';

/** A crontab of deploy/cron. */
export interface Crontab {
  readonly commands: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
}

export function crontab(name: string): Crontab {
  const lines = readFileSync(repository('deploy', 'cron', name), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const variables = lines.flatMap((line) => {
    const [, variable, value] = /^([A-Z_]+)=(.*)$/.exec(line) ?? [];
    return variable === undefined || value === undefined ? [] : [[variable, value]];
  });
  const commands = lines.flatMap((line) => /^(?:[\d*/,-]+\s+){5}(.+)$/.exec(line)?.[1] ?? []);
  return { commands, variables: Object.fromEntries(variables) };
}

/**
 * Makes a project what a crontab expects: the package in node_modules, here in place of /srv/churn.
 *
 * @returns runs the first command as cron does: by its shell, with its few variables, in the home folder; `mail` is what it prints
 */
export async function cronOf(
  { commands, variables }: Crontab,
  folder: string,
): Promise<(now: string) => Promise<{ code: number | null; mail: string }>> {
  await mkdir(path.join(folder, 'node_modules'));
  await symlink(repository(), path.join(folder, 'node_modules', 'score-batch'));
  const command = commands[0]?.replace('/srv/churn', folder) ?? '';
  const environment = {
    ...variables,
    HOME: path.dirname(folder),
    LOGNAME: 'score-batch',
    // This machine's Node may be elsewhere.
    PATH: `${path.dirname(process.execPath)}:${variables.PATH}`,
  };
  return (now) =>
    new Promise((resolve, reject) => {
      const options = { cwd: path.dirname(folder), env: { ...environment, SCORE_BATCH_NOW: now } };
      const child = execFile(variables.SHELL ?? '', ['-c', command], options, (_error, stdout, stderr) =>
        resolve({ code: child.exitCode, mail: stdout + stderr }),
      );
      child.once('error', reject);
    });
}
