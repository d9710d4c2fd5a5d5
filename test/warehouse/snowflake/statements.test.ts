import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import type { Query } from '../../../src/domain/query.ts';
import { openDatabase } from '../../../src/duckdb/database.ts';
import { openClient } from '../../../src/warehouse/snowflake/client.ts';
import { openSnowflake } from '../../../src/warehouse/snowflake/open.ts';
import { parseTarget } from '../../../src/warehouse/snowflake/target.ts';
import { DEFAULT_TIMEOUTS } from '../../../src/warehouse/timeouts.ts';
import { temporaryFolder } from '../../support/project.ts';
import { type Answer, type FakeSnowflake, fakeSnowflake, MASTER_TOKEN, type Script, SESSION_TOKEN } from './fake-snowflake.ts';

// The real driver against a server that gives Snowflake's documented answers; unproven on an account.

const QUERY: Query = { name: 'jobs/query.sql', texts: ['select customer_id from customers'], parameters: [] };
const LOST: Answer = { code: '390111', message: 'Session no longer exists. New login required to access the service.' };

/** Of a request, and with it of the pauses before one is sent again. */
const SOON = { SCORE_BATCH_REQUEST_SECONDS: '3' };

async function subject(script: Script) {
  const server = await fakeSnowflake(script);
  const environment = { SNOWFLAKE_ACCESS_URL: server.url, SNOWFLAKE_TOKEN: 'an oauth token', ...SOON };
  const warehouse = openSnowflake({
    url: 'snowflake://acct/db/public?warehouse=wh&role=scorer',
    job: 'churn',
    root: '/',
    scratch: 'scratch',
    memory: 1e9,
    maxBytes: undefined,
    signal: new AbortController().signal,
    environment,
    warn: () => undefined,
  });
  return { server, warehouse, environment };
}

function clientOf(server: FakeSnowflake, signal = new AbortController().signal) {
  const login = {
    target: parseTarget('snowflake://acct/db/public'),
    environment: { SNOWFLAKE_ACCESS_URL: server.url, SNOWFLAKE_TOKEN: 'an oauth token', ...SOON },
    warn: () => undefined,
  };
  return openClient(login, 'tag', signal);
}

it.each<[string, string, string, string]>([
  [
    '003001',
    "SQL access control error: Insufficient privileges to operate on schema 'SCRATCH'",
    'permission',
    'grant usage, create table, create stage on schema SCRATCH to role scorer',
  ],
  [
    '000606',
    "No active warehouse selected in the current session. Select an active warehouse with the 'use warehouse' command.",
    'configuration',
    'grant usage on warehouse wh to role scorer',
  ],
  ['000625', 'Statement has locked table in transaction and this lock has not yet been released', 'conflict', 'show locks'],
  ['000604', 'SQL execution canceled', 'unavailable', 'run the same command again'],
  [
    '000630',
    'Statement reached its statement or warehouse timeout of 14,400 second(s) and was canceled.',
    'unavailable',
    'time limit',
  ],
])('says what %s means', async (code, message, kind, hint) => {
  const { warehouse } = await subject({ statement: () => ({ code, message }) });
  const error: unknown = await warehouse.source.describe(QUERY).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ kind, details: [`${message} (${code})`], hint: expect.stringContaining(hint) });
  const shown = inspect(error, { depth: 20, showHidden: true });
  for (const secret of ['an oauth token', SESSION_TOKEN, MASTER_TOKEN]) expect(shown).not.toContain(secret);
  await warehouse.close();
});

it.each([
  ['001003', 'SQL compilation error: syntax error line 1 at position 0 unexpected'],
  ['000904', "SQL compilation error: error line 1 at position 7 invalid identifier 'NOTHING'"],
  ['002003', "SQL compilation error: Object 'DB.PUBLIC.CUSTOMERS' does not exist or not authorized."],
  ['100038', "Numeric value 'x' is not recognized", "Numeric value '…' is not recognized"],
])('names the query that %s is about', async (code, message, shown = message) => {
  const { warehouse } = await subject({ statement: () => ({ code, message }) });
  await expect(warehouse.source.describe(QUERY)).rejects.toMatchObject({
    kind: 'configuration',
    message: 'Snowflake rejects jobs/query.sql',
    details: [`${shown} (${code})`],
  });
  await warehouse.close();
});

it('asks for the columns of a query without running it', async () => {
  const { server, warehouse } = await subject({ statement: () => ({ rows: [], columns: ['CUSTOMER_ID', 'name'] }) });
  const bound: Query = {
    ...QUERY,
    texts: ['select * from c where at >= ', ' and day < ', ''],
    parameters: [
      { name: 'window_start', type: 'timestamp', value: '2026-11-16T05:00:00.000Z' },
      { name: 'window_end_date', type: 'date', value: '2026-11-23' },
    ],
  };
  expect((await warehouse.source.describe(bound)).map(({ name }) => name)).toEqual(['CUSTOMER_ID', 'name']);
  const { body } = server.requests.findLast(({ path }) => path.endsWith('query-request')) ?? {};
  expect(body).toMatchObject({
    describeOnly: true,
    sqlText: 'select * from c where at >= CAST(? AS TIMESTAMP_TZ) and day < CAST(? AS DATE)',
    bindings: { 1: { type: 'TEXT', value: '2026-11-16T05:00:00.000Z' }, 2: { type: 'TEXT', value: '2026-11-23' } },
  });
  await warehouse.close();
});

it.each([
  [
    'CREATE OR REPLACE TRANSIENT TABLE',
    'create tables in db.scratch',
    'grant create table on schema db.scratch to role scorer',
  ],
  ['CREATE OR REPLACE STAGE', 'create stages in db.scratch', 'grant create stage on schema db.scratch to role scorer'],
  ['SELECT 1', 'use the warehouse wh', 'grant usage on warehouse wh to role scorer'],
])('names the right that is missing for %s', async (statement, what, grant) => {
  const message = 'SQL access control error: Insufficient privileges to operate';
  const { warehouse } = await subject({
    statement: (sql) => {
      if (sql.startsWith(statement)) return { code: '003001', message };
      return sql.includes('INFORMATION_SCHEMA.SCHEMATA') ? { rows: [['SCRATCH']] } : undefined;
    },
  });
  await expect(warehouse.sink.probe([['marketing', 'scores']])).rejects.toMatchObject({
    kind: 'permission',
    message: `the role scorer is not allowed to ${what}`,
    details: [`${message} (003001)`],
    hint: expect.stringContaining(grant),
  });
  await warehouse.close();
});

it.each([
  ['UPDATE', 'DROP TABLE IF EXISTS'],
  ['LIST', 'DROP STAGE IF EXISTS'],
])('drops what it made to prove a right where %s fails', async (statement, drop) => {
  const { server, warehouse } = await subject({
    statement: (sql) => {
      if (sql.startsWith(statement)) return { code: '003001', message: 'SQL access control error: Insufficient privileges' };
      return sql.includes('INFORMATION_SCHEMA.SCHEMATA') ? { rows: [['SCRATCH']] } : undefined;
    },
  });
  await expect(warehouse.sink.probe([['marketing', 'scores']])).rejects.toMatchObject({ kind: 'permission' });
  expect(server.statements().at(-1)).toContain(drop);
  await warehouse.close();
});

it('asks again where the server fails, under the same id, and gives up after some times', async () => {
  const failing = await fakeSnowflake({ statement: (_, count) => (count < 2 ? { status: 503 } : { rows: [['1']] }) });
  const client = clientOf(failing);
  expect(await client.use((session) => session.rows('SELECT 1'))).toEqual([['1']]);
  const ids = failing.requests.filter(({ body }) => body.sqlText === 'SELECT 1').map(({ query }) => query.get('requestId'));
  expect(ids).toHaveLength(3);
  expect(new Set(ids).size).toBe(1);
  await client.close();

  const { server, warehouse } = await subject({ statement: () => ({ status: 503 }) });
  await expect(warehouse.reach()).rejects.toMatchObject({ kind: 'unavailable' });
  // Three connections, and on each as many requests as are sent to any warehouse.
  expect(server.statements()).toHaveLength(3 * DEFAULT_TIMEOUTS.attempts);
  expect(server.logins()).toHaveLength(3);
  await warehouse.close();
});

it('waits for a statement that runs longer than a request may take, and not for one that falls silent', async () => {
  const limit = Number(SOON.SCORE_BATCH_REQUEST_SECONDS) * 1000;
  const slow = await fakeSnowflake({ statement: () => ({ running: limit / 3, times: 5 }) });
  const client = clientOf(slow);
  expect(await client.use((session) => session.rows('CREATE TABLE'))).toEqual([['Statement executed successfully.']]);
  expect(slow.statements()).toEqual(['CREATE TABLE']);
  await client.close();

  const silent = await fakeSnowflake({ statement: (_, count) => (count === 0 ? { running: 3 * limit, times: 1 } : undefined) });
  const other = clientOf(silent);
  expect(await other.use((session) => session.rows('CREATE TABLE'))).toEqual([['Statement executed successfully.']]);
  expect(silent.statements()).toEqual(['CREATE TABLE', 'CREATE TABLE']);
  expect(silent.logins()).toHaveLength(1);
  await other.close();
});

it('gives up an upload that takes longer than one may', async () => {
  const server = await fakeSnowflake({ statement: () => ({ running: 500, times: 1000 }) });
  const client = clientOf(server);
  const late = client.once((session) => session.rows('PUT file:///x @stage', { within: 1500 }));
  await expect(late).rejects.toMatchObject({ broken: true, message: 'no answer for 1.5 s' });
  await client.close();
});

it('asks again where the connection drops', async () => {
  const server = await fakeSnowflake({ statement: (_, count) => (count === 0 ? 'drop' : { rows: [['1']] }) });
  const client = clientOf(server);
  expect(await client.use((session) => session.rows('SELECT 1'))).toEqual([['1']]);
  expect(server.logins()).toHaveLength(1);
  await client.close();
});

it('renews a session that has expired, and logs in anew where that is over too', async () => {
  const expired: Answer = { code: '390112', message: 'Session token expired.' };
  const once = (_: string, count: number): Answer => (count === 0 ? expired : { rows: [['1']] });
  const renewing = await fakeSnowflake({ statement: once });
  const client = clientOf(renewing);
  expect(await client.use((session) => session.rows('SELECT 1'))).toEqual([['1']]);
  expect(renewing.requests.filter(({ path }) => path === '/session/token-request')).toHaveLength(1);
  expect(renewing.logins()).toHaveLength(1);
  await client.close();

  const over: Answer = { code: '390114', message: 'Authentication token has expired. The user must authenticate again.' };
  const relogging = await fakeSnowflake({ statement: once, renew: () => over });
  const other = clientOf(relogging);
  expect(await other.use((session) => session.rows('SELECT 1'))).toEqual([['1']]);
  expect(relogging.logins()).toHaveLength(2);
  await other.close();

  const { warehouse } = await subject({
    statement: () => expired,
    renew: () => over,
    login: (attempt) => (attempt === 1 ? undefined : { code: '390318', message: 'OAuth access token expired.' }),
  });
  await expect(warehouse.reach()).rejects.toMatchObject({ kind: 'permission', hint: expect.stringContaining('new token') });
  await warehouse.close();
});

const FROZEN = {
  id: 'f'.repeat(12),
  runId: 'run',
  columns: [{ name: 'x', type: 'integer', native: 'NUMBER(18,0)' }],
  chunks: [{ chunk: 0, rows: 3, checksum: '0' }],
  rows: 3,
  divisions: 1,
  hash: 'md5',
} as const;

async function load(script: Script): Promise<{ rows: unknown; server: FakeSnowflake }> {
  const { server, warehouse } = await subject(script);
  await using database = await openDatabase(':memory:', { memory: 1e9, temporary: await temporaryFolder() });
  try {
    await warehouse.source.loadChunk(FROZEN, 0, database);
    return { rows: (await database.rows('select x from chunk')).flat().map(Number), server };
  } finally {
    await warehouse.close();
  }
}

it('reads a chunk anew where rows are missing in the middle of it', async () => {
  const whole: Answer = { chunk: '["1"],["2"],["3"]', promised: 3 };
  const { rows, server } = await load({
    statement: (_, count) => (count === 0 ? { chunk: '["1"],["2"]', promised: 3 } : whole),
  });
  expect(rows).toEqual([1, 2, 3]);
  // On a connection of its own.
  expect(server.logins()).toHaveLength(2);
  expect(server.statements()).toEqual(
    Array(2).fill(expect.stringMatching(/score_batch_bucket >= 0 AND score_batch_bucket < 1000$/)),
  );
  await expect(load({ statement: () => ({ chunk: '["1"]', promised: 3 }) })).rejects.toMatchObject({
    kind: 'unavailable',
    details: ['1 of 3 rows arrived (000000)'],
  });
  await expect(load({ statement: () => ({ rows: [['1']] }) })).rejects.toMatchObject({
    kind: 'refused',
    details: ['chunk 0 had 3 rows and has 1'],
  });
});

it('cancels the statement that runs when it is told to stop', async () => {
  let end: (() => void) | undefined;
  const server = await fakeSnowflake({
    statement: () => {
      end?.();
      return undefined;
    },
  });
  const stop = new AbortController();
  const reason = new Error('told to');
  end = () => stop.abort(reason);
  await expect(clientOf(server, stop.signal).use((session) => session.rows('SELECT endless'))).rejects.toBe(reason);
  await expect(clientOf(server, stop.signal).use((session) => session.rows('SELECT 1'))).rejects.toBe(reason);
  await expect.poll(() => server.requests.some(({ path }) => path.endsWith('/abort-request'))).toBe(true);
});

it('begins nothing again but what bears it', async () => {
  const server = await fakeSnowflake({ statement: () => LOST });
  const client = clientOf(server);
  await expect(client.once((session) => session.rows('INSERT'))).rejects.toMatchObject({ broken: true });
  expect(server.statements()).toEqual(['INSERT']);
  await client.close();
});
