// Loaded into the real process before anything else (NODE_OPTIONS=--import): a timer of more than ten minutes fires as soon as a statement
// of DuckDB begins that DEADLINE_AT matches, in place of a test that waits until a deadline has come while the right thing goes on.
import { aroundStatements } from './duckdb-calls.mjs';

const TEN_MINUTES = 600_000;
const pattern = new RegExp(process.env.DEADLINE_AT ?? '$^', 's');
const long = [];
const { setTimeout } = globalThis;

globalThis.setTimeout = (work, ms, ...more) => {
  const timer = setTimeout(work, ms, ...more);
  if (ms > TEN_MINUTES) long.push({ timer, fire: () => work(...more) });
  return timer;
};

aroundStatements((sql, run) => {
  const running = run();
  if (pattern.test(sql)) {
    for (const { timer, fire } of long.splice(0)) {
      clearTimeout(timer);
      fire();
    }
  }
  return running;
});
