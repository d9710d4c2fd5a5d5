import { expect, it } from 'vitest';
import { openClient } from '../../../src/warehouse/snowflake/client.ts';
import { withPublishLock } from '../../../src/warehouse/snowflake/publish-lock.ts';
import { ensureLock } from '../../../src/warehouse/snowflake/tables.ts';
import { parseTarget } from '../../../src/warehouse/snowflake/target.ts';
import { DEFAULT_TIMEOUTS } from '../../../src/warehouse/timeouts.ts';
import { type Answer, type FakeSnowflake, fakeSnowflake, type Script } from './fake-snowflake.ts';

// Locks and lost answers as Snowflake documents them; unproven on an account. The emulator shows that the transaction works.

const UPDATE = 'UPDATE "DB"."MARKETING"."GATE" SET taken = <token>';
const isUpdate = (sql: string) => sql.startsWith('UPDATE ');
const LOCKED: Answer = {
  code: '000625',
  message:
    "Statement '01a' has locked table 'GATE' in transaction 17 and this lock has not yet been released. Your statement '01b' was aborted because the lock wait timeout was exceeded.",
  sqlState: '57014',
};

/** Of a request, and with it of the pauses before one is sent again. */
const SOON = { SCORE_BATCH_REQUEST_SECONDS: '3' };

async function pass(
  script: Script,
  published: () => boolean = () => false,
): Promise<{ server: FakeSnowflake; result: unknown; conditions: readonly string[] }> {
  const conditions: string[] = [];
  const server = await fakeSnowflake(script);
  const target = parseTarget('snowflake://acct/db/public');
  const signal = new AbortController().signal;
  const environment = { SNOWFLAKE_ACCESS_URL: server.url, SNOWFLAKE_TOKEN: 'a token', ...SOON };
  const client = openClient({ target, environment, warn: () => undefined }, 'tag', signal);
  const snowflake = { target, scratch: ['db', 'scratch'] as const, job: 'churn', client, memory: 1e9, signal };
  const result = await withPublishLock(
    snowflake,
    ['db', 'marketing', 'gate'],
    'run',
    async (session, { commitUnknown: doubtful, fence: held }) => {
      await session.rows('SELECT current publication');
      if (published()) return { commit: false, result: doubtful };
      await session.rows('INSERT');
      conditions.push(held);
      return { commit: true, result: true };
    },
  ).catch((error: unknown) => error);
  await client.close();
  const statements = () => server.statements().map((sql) => sql.replace(/taken = \d+$/, 'taken = <token>'));
  return { server: { ...server, statements }, result, conditions };
}

const WHOLE = ['BEGIN TRANSACTION', UPDATE, 'SELECT current publication', 'INSERT', 'COMMIT'];

it('takes the gate before anything is read', async () => {
  const { server, result, conditions } = await pass({});
  expect(result).toBe(true);
  expect(server.statements()).toEqual(WHOLE);
  expect(conditions).toEqual([expect.stringMatching(/^\(SELECT taken FROM "DB"\."MARKETING"\."GATE"\) = \d+$/)]);
  expect((await pass({})).conditions).not.toEqual(conditions);
});

it('tries again where the gate is locked, and gives up in the end', async () => {
  let tries = 0;
  const lockedTwice = (sql: string) => {
    if (!isUpdate(sql)) return undefined;
    tries += 1;
    return tries > 2 ? undefined : LOCKED;
  };
  const { server, result } = await pass({ statement: lockedTwice });
  expect(result).toBe(true);
  const refused = ['BEGIN TRANSACTION', UPDATE, 'ROLLBACK'];
  expect(server.statements()).toEqual([...refused, ...refused, ...WHOLE]);

  const locked = await pass({ statement: (sql) => (isUpdate(sql) ? LOCKED : undefined) });
  expect(locked.result).toMatchObject({ kind: 'conflict', message: expect.stringContaining('the publish lock of churn') });
  expect(locked.server.statements()).not.toContain('COMMIT');
});

it('rolls back where a statement fails, and does not try again', async () => {
  const wrong: Answer = { code: '100132', message: 'JavaScript execution error', sqlState: 'P0000' };
  const { server, result } = await pass({ statement: (sql) => (sql === 'INSERT' ? wrong : undefined) });
  expect(result).toMatchObject({ code: '100132' });
  expect(server.statements()).toEqual([...WHOLE.slice(0, -1), 'ROLLBACK']);
});

it('looks whether it has published where COMMIT has no answer, and then sends nothing again', async () => {
  let committed = false;
  const { server, result } = await pass(
    {
      statement: (sql) => {
        if (sql !== 'COMMIT') return undefined;
        committed = true;
        return 'drop';
      },
    },
    () => committed,
  );
  expect(result).toBe(true);
  expect(server.statements().filter((sql) => sql === 'INSERT')).toHaveLength(1);
  expect(server.statements().slice(-4)).toEqual(['BEGIN TRANSACTION', UPDATE, 'SELECT current publication', 'ROLLBACK']);
});

it('publishes again where COMMIT has no answer and has not happened', async () => {
  let lost = 0;
  const { server, result } = await pass({
    statement: (sql) => {
      if (sql !== 'COMMIT' || lost === DEFAULT_TIMEOUTS.attempts) return undefined;
      lost += 1;
      return 'drop';
    },
  });
  expect(result).toBe(true);
  expect(server.statements().slice(-WHOLE.length)).toEqual(WHOLE);
  expect(server.logins()).toHaveLength(2);
});

it('starts over if the connection is lost before COMMIT', async () => {
  const lost: Answer = { code: '390111', message: 'Session no longer exists.' };
  const { server, result } = await pass({ statement: (sql, count) => (sql === 'INSERT' && count === 0 ? lost : undefined) });
  expect(result).toBe(true);
  expect(server.statements()).toEqual([...WHOLE.slice(0, -1), ...WHOLE]);
});

it('is made with a column that can count: of a bare 0 Snowflake would make one of one digit', async () => {
  // What the emulator cannot show, whose 0 is an integer.
  const server = await fakeSnowflake({ statement: (sql) => (sql.includes('INFORMATION_SCHEMA') ? { rows: [] } : undefined) });
  const target = parseTarget('snowflake://acct/db/public');
  const signal = new AbortController().signal;
  const environment = { SNOWFLAKE_ACCESS_URL: server.url, SNOWFLAKE_TOKEN: 'a token', ...SOON };
  const client = openClient({ target, environment, warn: () => undefined }, 'tag', signal);
  await ensureLock({ target, scratch: ['db', 'scratch'], job: 'churn', client, memory: 1e9, signal }, [
    'db',
    'marketing',
    'gate',
  ]);
  await client.close();
  expect(server.statements()).toContain(
    'CREATE TABLE IF NOT EXISTS "DB"."MARKETING"."GATE" AS SELECT CAST(0 AS NUMBER(38,0)) AS taken',
  );
});
