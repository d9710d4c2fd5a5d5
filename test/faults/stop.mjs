// Loaded into a real process before anything else (NODE_OPTIONS=--import): it stops itself, as a SIGSTOP from outside would,
// once, just before the first step that STOP_BEFORE matches. From outside nobody can hit the moment between two steps.
//
//   open FILE           a file is opened or made
//   rename TARGET       a file is renamed
//   duckdb SQL          a statement of DuckDB, in this process
//   http BODY           a request to a warehouse
//
// Plain JavaScript: nothing compiles TypeScript in that process.
import fs from 'node:fs';
import http from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import { gunzipSync } from 'node:zlib';
import { aroundStatements } from '../support/duckdb-calls.mjs';

const pattern = new RegExp(process.env.STOP_BEFORE ?? '$^', 's');
let stopped = false;

function before(step) {
  if (stopped || !pattern.test(step.replaceAll(/\s+/g, ' '))) return;
  stopped = true;
  process.kill(process.pid, 'SIGSTOP');
}

const { open, rename } = fs.promises;
fs.promises.open = (file, ...more) => {
  before(`open ${file}`);
  return open(file, ...more);
};
fs.promises.rename = (from, to) => {
  before(`rename ${to}`);
  return rename(from, to);
};
syncBuiltinESMExports();

aroundStatements((sql, run) => {
  before(`duckdb ${sql}`);
  return run();
});

const { write, end } = http.ClientRequest.prototype;
const bodies = new WeakMap();
http.ClientRequest.prototype.write = function (chunk, ...more) {
  bodies.set(this, [...(bodies.get(this) ?? []), Buffer.from(chunk)]);
  return write.call(this, chunk, ...more);
};
http.ClientRequest.prototype.end = function (chunk, ...more) {
  const last = chunk && typeof chunk !== 'function' ? [Buffer.from(chunk)] : [];
  const body = Buffer.concat([...(bodies.get(this) ?? []), ...last]);
  before(`http ${this.getHeader('content-encoding') === 'gzip' ? gunzipSync(body) : body}`);
  return end.call(this, chunk, ...more);
};
