import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import type { Query } from '../../../src/domain/query.ts';
import { ScoreBatchError } from '../../../src/errors.ts';
import { withoutSecrets } from '../../../src/secrets.ts';
import { openClient } from '../../../src/warehouse/snowflake/client.ts';
import { openSnowflake } from '../../../src/warehouse/snowflake/open.ts';
import { parseTarget } from '../../../src/warehouse/snowflake/target.ts';
import { DEFAULT_TIMEOUTS } from '../../../src/warehouse/timeouts.ts';
import { type Answer, fakeSnowflake, MASTER_TOKEN, type Script, SESSION_TOKEN } from './fake-snowflake.ts';

// The real driver against a server that answers as no Snowflake does: a captive portal, a proxy that cuts, a server that is ill.
// No emulator can.

const QUERY: Query = { name: 'jobs/query.sql', texts: ['select customer_id from customers'], parameters: [] };
const PORTAL = '<html>Please log in to the guest network, jo@example.com</html>';
const PASSWORD = 'password-5feceb66ff';

async function subject(script: Script) {
  const server = await fakeSnowflake(script);
  const warehouse = openSnowflake({
    url: 'snowflake://acct/db/public?warehouse=wh&role=scorer',
    job: 'churn',
    root: '/',
    scratch: 'scratch',
    memory: 1e9,
    maxBytes: undefined,
    signal: new AbortController().signal,
    environment: {
      SNOWFLAKE_ACCESS_URL: server.url,
      SNOWFLAKE_USER: 'jo',
      SNOWFLAKE_PASSWORD: PASSWORD,
      SCORE_BATCH_REQUEST_SECONDS: '0.2',
    },
    warn: () => undefined,
  });
  onTestFinished(() => warehouse.close());
  return { server, warehouse };
}

async function failure(script: Script): Promise<ScoreBatchError> {
  const { warehouse } = await subject(script);
  const error: unknown = await warehouse.source.describe(QUERY).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ScoreBatchError);
  return error as ScoreBatchError;
}

const raw = (text: string, contentType = 'application/json'): Answer => ({ raw: text, contentType });
const FOREIGN: [string, Answer][] = [
  ['HTML', raw(PORTAL, 'text/html')],
  ['HTML that says that it is JSON', raw(PORTAL)],
  ['nothing', raw('')],
  ['JSON that is cut', raw('{"success": true, "data": {"rowtype": [{"name": "jo@exam')],
  ['JSON that is cut behind a bracket', raw('{"success": true, "data": {"rowtype": [{"name": "jo@example.com"}')],
  ['a list', raw('[]')],
  ['null', raw('null')],
  ['another object', raw('{"hello": "jo@example.com"}')],
  ['success without data', raw('{"success": true}')],
  ['data of another shape', raw('{"success": true, "data": {"rowtype": "jo@example.com"}}')],
];

it.each(FOREIGN)('%s instead of a result is not taken for a refusal of the query', async (_, answer) => {
  const { kind, message, details } = await failure({ statement: () => answer });
  expect(kind, message).toBe('unavailable');
  expect(message).toBe('something other than Snowflake account acct answered a request');
  expect(details.join()).not.toContain('jo@');
});

it.each(FOREIGN.slice(0, 4))('%s instead of a login is none', async (_, answer) => {
  const { kind, message } = await failure({ login: () => answer });
  expect([kind, message]).toEqual(['unavailable', 'something other than Snowflake account acct answered a request']);
});

it('any answer at all to a statement ends in a kind', async () => {
  const code = fc.integer({ min: 0, max: 999_999 }).map((number) => String(number).padStart(6, '0'));
  const answer: fc.Arbitrary<Answer> = fc.oneof(
    fc.record({ raw: fc.json(), contentType: fc.constant('application/json') }),
    fc.record({
      raw: fc.json().map((data) => `{"success":true,"data":${data}}`),
      contentType: fc.constant('application/json'),
    }),
    fc
      .json()
      .map((row) =>
        raw(`{"success":true,"data":{"rowtype":[{"name":"X","type":"text"}],"rowset":[${row}],"total":1,"returned":1}}`),
      ),
    fc.record({
      raw: fc.string(),
      contentType: fc.constantFrom('text/html', 'application/json'),
      status: fc.integer({ min: 400, max: 499 }),
    }),
    fc.record({ code, message: fc.string(), sqlState: fc.string({ maxLength: 5 }) }),
  );
  let given: Answer = { rows: [] };
  const { warehouse } = await subject({ statement: () => given });
  await fc.assert(
    fc.asyncProperty(answer, async (next) => {
      given = next;
      const error: unknown = await warehouse.source.ready(QUERY).catch((reason: unknown) => reason);
      expect(typeof error === 'boolean' || error instanceof ScoreBatchError, String(error)).toBe(true);
    }),
    { numRuns: 15 },
  );
});

it.each(['constructor', 'toString', '__proto__'])('a column called %s is refused by its name', async (name) => {
  expect(await failure({ statement: () => ({ rows: [], columns: ['ID', name] }) })).toMatchObject({
    kind: 'configuration',
    message: `Snowflake's driver cannot read a column named ${name}`,
    hint: expect.stringContaining(`"${name}" as`),
  });
});

it('a statement that always runs is given up', async () => {
  const server = await fakeSnowflake({ statement: () => ({ running: 20, times: 1e6 }) });
  const login = {
    target: parseTarget('snowflake://acct/db/public'),
    environment: { SNOWFLAKE_ACCESS_URL: server.url, SNOWFLAKE_TOKEN: 'an oauth token' },
    warn: () => undefined,
  };
  const client = openClient(login, 'tag', new AbortController().signal, { ...DEFAULT_TIMEOUTS, job: 500 });
  await expect(client.use((session) => session.rows('SELECT endless'))).rejects.toMatchObject({
    kind: 'unavailable',
    message: expect.stringContaining('is still running'),
  });
  expect(server.statements()).toEqual(['SELECT endless']);
  await client.close();
});

it('a token that the server repeats is masked, as is the password', async () => {
  const message = `no such thing: ${SESSION_TOKEN} ${MASTER_TOKEN} ${PASSWORD} ${encodeURIComponent(PASSWORD)}`;
  const { details } = await failure({ statement: () => ({ code: '001003', message }) });
  expect(details.map(withoutSecrets)).toEqual(['no such thing: [secret] [secret] [secret] [secret] (001003)']);
});

it.each([301, 302, 307, 308])('a login that is redirected (%i) to another host is not repeated there', async (status) => {
  const asked: string[] = [];
  const elsewhere = createServer((request, response) => {
    asked.push(String(request.url));
    response.end('{}');
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void elsewhere.close());
  const host = `127.0.0.1:${(elsewhere.address() as AddressInfo).port}`;
  const { kind, message, hint } = await failure({ login: () => ({ status, headers: { location: `http://${host}/login` } }) });
  expect(kind).toBe('unavailable');
  expect(message).toContain(`redirects to ${host}; no credentials were sent there`);
  expect(hint).toContain('captive portal');
  expect(asked).toEqual([]);
});
