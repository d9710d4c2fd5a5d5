import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { expect } from 'vitest';
import { currentLayout } from '../../../src/domain/current-table.ts';
import type { Column } from '../../../src/domain/schema.ts';
import { parquetScan } from '../../../src/duckdb/sql.ts';
import { writeEarlier } from '../../../src/slice/earlier.ts';
import { instant } from '../../../src/warehouse/sql/dialect.ts';
import { temporaryFolder } from '../../support/project.ts';
import { withWorker } from './frozen.ts';
import { type Area, openSubject } from './subject.ts';

const KEY: readonly Column[] = [
  { name: 'user_id', type: 'integer', native: 'BIGINT' },
  { name: 'since', type: 'timestamp', native: 'TIMESTAMP' },
];

const CURRENT = currentLayout(['users_now'], { key: KEY, keep: [], scoreColumn: 'score' });

const SKIP_KEYS = ['-9223372036854775808', '9223372036854775807', '-1'];

/** Users 0 to 39 have a score of the model; the four after them have none, or one that does not count. */
const USERS = 40;

/** Scores of the current table, as chunk workers of the next slice get them. */
export const earlier: Area = (it, makeSubject) => {
  it('exports the scores of one model, page by page, with the hashes of their keys', async () => {
    const { warehouse, execute, table } = await openSubject(makeSubject);
    const folder = await temporaryFolder();
    const spec = { current: CURRENT, key: KEY, scoreColumn: 'score', digest: 'digest', folder, memory: 1e9, pageRows: 7 };
    const write = (only?: string, embedded = false) =>
      warehouse.sink.read((reader) => writeEarlier(reader, { ...spec, only, embedded }));
    const ways = warehouse.kind === 'duckdb' ? [false, true] : [false];
    expect(await write()).toBeUndefined();
    const dialect = await warehouse.sink.read(async (reader) => reader.dialect);
    const { type, identifier, literal } = dialect;
    const columns = CURRENT.columns.map((column) => `${identifier(column.name)} ${type(column)}`);
    await execute(`create table ${table(CURRENT.name)} (${columns.join(', ')})`);
    for (const embedded of ways) expect(await write(undefined, embedded)).toBeUndefined();
    expect(await readdir(folder)).toEqual([]);
    const rows = Array.from({ length: USERS + 4 }, (_, i) => [
      ...[String(i), instant(dialect, `1997-03-10T05:00:0${i % 10}.500Z`)],
      i === USERS ? 'null' : `cast(0.1234${10 + i} as ${type({ type: 'decimal', digits: [7, 6] })})`,
      ...[i === USERS + 1 ? 'true' : 'false', i === USERS + 2 ? 'null' : (SKIP_KEYS[i] ?? String(i))],
      literal(i === USERS + 3 ? 'other' : 'digest'),
    ]);
    const names = ['user_id', 'since', 'score', 'deleted', 'skip_key', 'model_digest'].map(identifier);
    const values = rows.map((row) => `(${row.join(', ')})`);
    await execute(`insert into ${table(CURRENT.name)} (${names.join(', ')}) values ${values.join(', ')}`);
    const expected = Array.from({ length: USERS }, (_, i) => [
      hashOf(String(i), `1997-03-10 05:00:0${i % 10}.500000`),
      ...[SKIP_KEYS[i] ?? String(i), `0.1234${10 + i}`],
    ]);
    for (const embedded of ways) expect(await readEarlier(await write(undefined, embedded))).toEqual(expected);
    await execute(`create table changed as select user_id, since from ${table(CURRENT.name)} where mod(user_id, 3) = 0`);
    const some = expected.filter((_, i) => i % 3 === 0);
    for (const embedded of ways) expect(await readEarlier(await write(table(['changed']), embedded))).toEqual(some);
  });
};

/** See `keyHash`: the first 60 bits of the MD5 of the canonical texts, each after its length. */
function hashOf(...texts: readonly string[]): string {
  const placed = texts.map((text) => `${text.length}:${text}`).join('');
  return String(BigInt(`0x${createHash('md5').update(placed).digest('hex').slice(0, 15)}`));
}

async function readEarlier(file = ''): Promise<unknown[][]> {
  const found: unknown[][] = [];
  await withWorker(async (database) => {
    const scan = parquetScan([file]);
    const types = await database.rows(`SELECT column_type FROM (DESCRIBE SELECT * FROM ${scan})`);
    expect(types.flat()).toEqual(['BIGINT', 'BIGINT', 'DECIMAL(7,6)']);
    found.push(
      ...(await database.rows(`SELECT key_hash::VARCHAR, skip_key::VARCHAR, score::VARCHAR FROM ${scan} ORDER BY score`)),
    );
  });
  return found;
}
