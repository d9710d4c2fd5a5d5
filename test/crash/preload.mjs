// Loaded into the real process before anything else (NODE_OPTIONS=--import), in its main thread and in its worker threads. It
// stands at the lowest layers that every durable effect passes, and tells each effect as one line of text: to a file
// (CRASH_LOG), and to the question whether the process dies here (CRASH_AT). So the product knows nothing of crash points.
//
//   CRASH_AT={"pattern": "…", "occurrence": 1, "phase": "before" | "during" | "after"}
//
// before: nothing was sent. during: all was sent, and no answer came. after: it is done and acknowledged, and nothing has
// happened since. A file system call has no `during`, but the removal of a folder, and bytes that a thread writes into a file:
// both have then only begun.
//
// Plain JavaScript: nothing compiles TypeScript in that process.
import fs from 'node:fs';
import http from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { aroundStatements, replaceCalls } from '../support/duckdb-calls.mjs';

const { appendFileSync, mkdirSync, readdirSync, renameSync, statSync, unlinkSync, writeFileSync } = fs;
const { CRASH_LOG: log, CRASH_AT: at } = process.env;
const point = at && JSON.parse(at);
const pattern = point && new RegExp(point.pattern, 's');
let seen = 0;

/** @returns where the process is to die in this effect, if it is */
function told(effect) {
  const text = effect.replaceAll(/\s+/g, ' ').trim();
  if (log) appendFileSync(log, `${text}\n`);
  if (!pattern?.test(text)) return undefined;
  seen += 1;
  return seen === point.occurrence ? point.phase : undefined;
}

function die() {
  process.kill(process.pid, 'SIGKILL');
}

async function around(effect, work, midway = die) {
  const phase = told(effect);
  if (phase === 'before') die();
  try {
    return await (phase === 'during' ? midway(work) : work());
  } finally {
    if (phase === 'after') die();
  }
}

// Files.

const { promises } = fs;
const original = { ...promises };
promises.mkdir = (folder, options) => around(`mkdir ${folder}`, () => original.mkdir(folder, options));
promises.writeFile = (file, data, options) => around(`write ${file}`, () => original.writeFile(file, data, options));
promises.rename = (from, to) => around(`rename ${from} to ${to}`, () => original.rename(from, to));
promises.rm = (target, options) =>
  around(
    `remove ${target}`,
    () => original.rm(target, options),
    () => removeSome(target),
  );
promises.open = async (file, flags = 'r', mode) => {
  if (flags === 'r') return await opened(file, original.open(file, flags, mode));
  return await around(`open ${file}`, () => opened(file, original.open(file, flags, mode)));
};

async function opened(file, opening) {
  const handle = await opening;
  const { sync, writeFile } = handle;
  handle.sync = () => around(`sync ${file}`, () => sync.call(handle));
  handle.writeFile = (...data) => around(`fill ${file}`, () => writeFile.apply(handle, data));
  return handle;
}

// What threads that score do with a file of their own.

const { openSync, writeSync, closeSync } = fs;
/** Paths of files that are open for writing in places. */
const puts = new Map();
fs.openSync = (file, flags, ...more) => {
  const descriptor = openSync(file, flags, ...more);
  if (flags === 'r+') puts.set(descriptor, file);
  return descriptor;
};
fs.closeSync = (descriptor) => {
  puts.delete(descriptor);
  closeSync(descriptor);
};
fs.writeSync = (descriptor, bytes, ...where) => {
  const phase = puts.has(descriptor) ? told(`put ${puts.get(descriptor)}`) : undefined;
  if (phase === 'before') die();
  if (phase === 'during') {
    const [offset, length, position] = where;
    writeSync(descriptor, bytes, offset, Math.floor(length / 2), position);
    die();
  }
  const written = writeSync(descriptor, bytes, ...where);
  if (phase === 'after') die();
  return written;
};
fs.mkdirSync = (folder, options) => {
  // Drivers make temporary ones.
  if (!folder.includes('/tapping-')) return mkdirSync(folder, options);
  const phase = told(`mkdir ${folder}`);
  if (phase === 'before') die();
  const made = mkdirSync(folder, options);
  if (phase) die();
  return made;
};

/** A recursive removal takes entries in any order: files first is as good as any, and leaves folders that say less. */
function removeSome(target) {
  for (const entry of statSync(target, { throwIfNoEntry: false })?.isDirectory()
    ? readdirSync(target, { withFileTypes: true })
    : []) {
    if (!entry.isDirectory()) unlinkSync(path.join(target, entry.name));
  }
  die();
}

// Snowflake's driver copies a file into a stage of the emulator in pieces. The object stores behind real stages have a file
// whole or not at all, so it is made so here.
fs.createWriteStream = (file) => {
  const stream = new PassThrough();
  const parts = [];
  stream.on('data', (part) => parts.push(part));
  const { _flush } = stream;
  stream._flush = (done) => {
    const phase = told(`upload ${file}`);
    if (phase === 'before') die();
    const whole = path.join(process.env.TMPDIR ?? '/tmp', `upload-${process.pid}`);
    writeFileSync(whole, Buffer.concat(parts));
    mkdirSync(path.dirname(file), { recursive: true });
    renameSync(whole, file);
    if (phase) die();
    _flush?.call(stream, done);
    done();
  };
  return stream;
};
syncBuiltinESMExports();

// DuckDB. In memory only what goes to files outlives the process; on a file everything but reading does, and so does the
// checkpoint with which it is closed.

/** What no statement of ours begins with that leaves something behind; a transaction's first statement locks nothing yet. */
const READS = /^\s*((SELECT|WITH|DESCRIBE|LIST|SET|ALTER SESSION)\b|BEGIN TRANSACTION\s*$)/i;
/** Paths of files that are open for writing, by the native objects of their configuration, database and connections. */
const files = new WeakMap();
const readOnly = new WeakSet();
replaceCalls(({ set_config, open, connect, close_sync }) => ({
  set_config(config, name, value) {
    if (name === 'access_mode' && value === 'READ_ONLY') readOnly.add(config);
    return set_config(config, name, value);
  },
  async open(file, config) {
    const database = await open(file, config);
    if (file !== ':memory:' && !readOnly.has(config)) files.set(database, file);
    return database;
  },
  async connect(database) {
    const connection = await connect(database);
    if (files.has(database)) files.set(connection, files.get(database));
    return connection;
  },
  close_sync(database) {
    const phase = files.has(database) ? told(`duckdb close ${files.get(database)}`) : undefined;
    if (phase === 'before') die();
    close_sync(database);
    if (phase) die();
  },
}));
aroundStatements((sql, run, connection) => {
  const durable = files.has(connection) ? !READS.test(sql) : /^\s*COPY\b.*\bTO\b/is.test(sql);
  // It runs in a thread of its own; there is no telling how far it has come.
  return durable ? around(`duckdb ${sql}`, run, started) : run();
});

async function started(work) {
  const working = work();
  setTimeout(die, 1);
  await working;
  die();
}

// HTTP, on which BigQuery's and Snowflake's clients are built.

const { write, end } = http.ClientRequest.prototype;
const bodies = new WeakMap();
http.ClientRequest.prototype.write = function (chunk, ...more) {
  keep(this, chunk);
  return write.call(this, chunk, ...more);
};
http.ClientRequest.prototype.end = function (chunk, ...more) {
  if (chunk && typeof chunk !== 'function') keep(this, chunk);
  const effect = effectOf(this, Buffer.concat(bodies.get(this) ?? []));
  const phase = effect && told(effect);
  if (phase === 'before') die();
  if (phase === 'during') this.once('finish', die);
  if (phase === 'after') this.prependOnceListener('response', (response) => response.prependOnceListener('end', die));
  return end.call(this, chunk, ...more);
};

function keep(request, chunk) {
  const parts = bodies.get(request) ?? [];
  bodies.set(request, parts);
  parts.push(Buffer.from(chunk));
}

/** @returns undefined for what leaves nothing behind */
function effectOf(request, body) {
  const { method, path: address } = request;
  const asked = `${method} ${address.replace(/\?.*/, '')}`;
  if (method === 'GET' || asked.startsWith('POST /session')) return undefined;
  const text = (request.getHeader('content-encoding') === 'gzip' ? gunzipSync(body) : body).toString('utf8');
  const { sqlText, describeOnly, configuration } = text.startsWith('{') ? JSON.parse(text) : {};
  const sql = sqlText ?? configuration?.query?.query;
  if (sql !== undefined && (READS.test(sql) || describeOnly || configuration?.dryRun)) return undefined;
  return `http ${asked} ${sql ?? text.slice(0, 300)}`;
}
