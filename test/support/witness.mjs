// Loaded into the real process before anything else (NODE_OPTIONS=--import). It writes to the file WITNESS, a line each, what nobody can see
// from outside, so that a test waits for it and not for some time:
//
//   signal NAME     a signal is heard, in the same turn in which score-batch hears it
//   refused FILE    a database file could not be opened, since another process has it
import { appendFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { replaceCalls } from './duckdb-calls.mjs';

const tell = (line) => appendFileSync(process.env.WITNESS, `${line}\n`);

if (isMainThread) {
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => tell(`signal ${signal}`));
  replaceCalls(({ open }) => ({
    async open(file, ...more) {
      try {
        return await open(file, ...more);
      } catch (error) {
        tell(`refused ${file}`);
        throw error;
      }
    },
  }));
}
