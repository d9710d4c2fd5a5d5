import { type FileHandle, open } from 'node:fs/promises';
import { ScoreBatchError, systemCode } from '../../errors.ts';

/** Destination of output lines. */
export interface LineFile {
  /** @returns false if the reader is gone: `score-batch stream --events FILE | head` does not fail */
  write(lines: readonly string[]): Promise<boolean>;
  close(): Promise<void>;
}

/** Creates or overwrites a file. @throws ScoreBatchError `report` if it cannot be written */
export async function openLineFile(file: string): Promise<LineFile> {
  const refuse = (cause: unknown): never => {
    throw new ScoreBatchError('report', `${file} cannot be written: ${systemCode(cause) ?? 'unknown error'}`, {
      hint: 'check the folder and the free disk space, then run the same command again',
      cause,
    });
  };
  const handle: FileHandle = await open(file, 'w').catch(refuse);
  return {
    async write(lines) {
      await handle.appendFile(textOf(lines)).catch(refuse);
      return true;
    },
    close: () => handle.close(),
  };
}

/** Writes lines to stdout, as fast as they are read. */
export function stdoutLines(): LineFile {
  return {
    write: (lines) =>
      new Promise((resolve, reject) => {
        process.stdout.write(textOf(lines), (cause) => {
          if (!cause) resolve(true);
          else if (systemCode(cause) === 'EPIPE') resolve(false);
          else
            reject(
              new ScoreBatchError('report', `stdout cannot be written: ${systemCode(cause) ?? 'unknown error'}`, { cause }),
            );
        });
      }),
    close: async () => undefined,
  };
}

function textOf(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}
