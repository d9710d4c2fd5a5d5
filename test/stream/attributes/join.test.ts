import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { FieldValue } from '../../../src/event-features/definition.ts';
import { readEventFeatures } from '../../../src/event-features/read.ts';
import type { AttributeTable } from '../../../src/event-features/sql/attributes.ts';
import { eventSql } from '../../../src/event-features/sql/event-sql.ts';
import { bindWindow } from '../../../src/job/parameters.ts';
import { showWithValues } from '../../../src/warehouse/duckdb/query.ts';
import { windowOf } from '../../../src/window/window.ts';
import { query, statements, temporaryFolder } from '../../support/project.ts';
import { memoryTopic } from './memory-topic.ts';
import { opened } from './opened.ts';

const FEATURES = readEventFeatures(
  `name: fraud
as_of: event
key: user_id
id: transaction_id
time: at
fields: { transaction_id: string, user_id: string, at: int64 }
lateness: 5s
features:
  payments_5m: { count: events, window: 5m }
`,
  'fraud.features.yaml',
);

const COLUMNS = [
  { name: 'home', type: 'string' },
  { name: 'limit_cents', type: 'int64' },
  { name: 'risk', type: 'float64' },
  { name: 'checked', type: 'bool' },
] as const;

const DAY = Date.UTC(2026, 10, 18);

/** What an event was scored with. */
interface Used {
  readonly version: string | null;
  readonly values: readonly FieldValue[];
}

it('SQL that joins by key and version finds the very values that events were scored with', async () => {
  const { log, append } = memoryTopic('users', 3);
  let state = 5;
  const random = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return Math.floor((state / 0x8000_0000) * below);
  };
  const history: (readonly FieldValue[])[] = [];
  const change = () => {
    const user = random(12);
    if (random(8) === 0) return void append(user % 3, `u${user}`, null);
    const values = [
      random(5) === 0 ? null : `it's ${random(50)}`,
      random(5) === 0 ? null : random(2 ** 31) * 2 ** 20,
      random(5) === 0 ? null : 1 / (1 + random(1000)),
      random(3) === 0 ? null : random(2) === 0,
    ];
    const row = Object.fromEntries(COLUMNS.map(({ name }, at) => [name, values[at]]));
    history.push([`u${user}`, append(user % 3, `u${user}`, row), ...values]);
  };
  for (let i = 0; i < 20; i += 1) change();
  const { attributes } = await opened({ topic: 'users', columns: COLUMNS }, { log });
  const used = new Map<string, Used>();
  const events: FieldValue[][] = [];
  for (let i = 0; i < 2000; i += 1) {
    if (random(4) === 0) change();
    // So that some changes are read before the next event, and some are not.
    if (random(10) === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    else await nextTurn();
    const user = `u${random(14)}`;
    const found = attributes.find(user);
    used.set(`t${i}`, { version: found?.version ?? null, values: found?.values ?? COLUMNS.map(() => null) });
    events.push([`t${i}`, user, DAY + i * 1000, found?.version ?? null]);
  }

  const file = path.join(await temporaryFolder(), 'bank.duckdb');
  await statements(file, [
    'create table events (transaction_id varchar, user_id varchar, "at" bigint, attributes_version varchar)',
    `insert into events values ${events.map(row).join(', ')}`,
    'create table users (user_id varchar, version varchar, home varchar, limit_cents bigint, risk double, checked boolean)',
    `insert into users values ${history.map(row).join(', ')}`,
    "create view newest as select * from users qualify row_number() over (partition by user_id order by split_part(version, ':', 2)::bigint desc) = 1",
  ]);
  const joined = async (table: string, by: AttributeTable['row']) => {
    const columns = COLUMNS.map(({ name }) => name);
    const attributed = { table: [table], key: 'user_id', columns, row: by };
    const sql = eventSql(FEATURES, { table: ['events'], kind: 'duckdb', attributes: attributed });
    const rows = await query(file, showWithValues(bindWindow(sql, windowOf(DAY, DAY + 86_400_000, 'UTC'), 'test', 'duckdb')));
    return new Map(rows.map((found) => [String(found.transaction_id), columns.map((name) => plain(found[name], name))]));
  };
  const values = new Map([...used].map(([id, one]) => [id, one.values]));
  expect(await joined('users', { is: 'used', version: 'version', used: 'attributes_version' })).toEqual(values);
  // The newest rows, and many of the versions, are others: the join is not right by chance.
  expect(new Set([...used.values()].map(({ version }) => version)).size).toBeGreaterThan(100);
  const current = await joined('newest', { is: 'current' });
  expect([...values].filter(([id, one]) => JSON.stringify(one) !== JSON.stringify(current.get(id))).length).toBeGreaterThan(
    500,
  );
});

function row(values: readonly FieldValue[]): string {
  const literals = values.map((value) => {
    if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`;
    // A bare 0.1 would be a decimal.
    return typeof value === 'number' && !Number.isInteger(value) ? `cast('${value}' as double)` : String(value);
  });
  return `(${literals.join(', ')})`;
}

/** Whole numbers of 64 bits come as text. */
function plain(value: unknown, name: string): unknown {
  return name === 'limit_cents' && value !== null ? Number(value) : value;
}
