import { expect, it } from 'vitest';
import { type AppendedColumn, openColumnAppender } from '../../src/duckdb/append-columns.ts';
import { type Database, openDatabase } from '../../src/duckdb/database.ts';
import { temporaryFolder } from '../support/project.ts';

const ROWS = 5000;
const rows = Array.from({ length: ROWS }, (_, i) => i);

async function database(): Promise<Database> {
  return await openDatabase(':memory:', { threads: 1, memory: 1e9, temporary: await temporaryFolder() });
}

function fixed(
  values: BigInt64Array | Float64Array | Int32Array | Int16Array | Uint8Array,
  valid?: Uint8Array,
): AppendedColumn {
  const bytes = new Uint8Array(values.buffer as ArrayBuffer, values.byteOffset, values.byteLength);
  return { kind: 'fixed', width: values.BYTES_PER_ELEMENT, bytes, valid };
}

function text(values: readonly string[], valid?: Uint8Array): AppendedColumn {
  const encoded = values.map((value) => Buffer.from(value));
  const offsets = new Int32Array(values.length + 1);
  for (const [i, bytes] of encoded.entries()) offsets[i + 1] = (offsets[i] as number) + bytes.length;
  return { kind: 'text', offsets, bytes: new Uint8Array(Buffer.concat(encoded)), valid };
}

/** One bit per row. */
function bits(isValid: (row: number) => boolean): Uint8Array {
  const valid = new Uint8Array(Math.ceil(ROWS / 8));
  for (const row of rows) if (isValid(row)) valid[row >> 3] = (valid[row >> 3] as number) | (1 << (row & 7));
  return valid;
}

it('appends columns of every width over several vectors', async () => {
  await using db = await database();
  await db.run(
    `CREATE TEMP TABLE t (big BIGINT, ratio DOUBLE, small DECIMAL(4, 2), price DECIMAL(9, 2), flag BOOLEAN, day DATE,
       moment TIMESTAMP, huge DECIMAL(38, 9))`,
  );
  const appender = await openColumnAppender(db, 't');
  const huge = new Int32Array(ROWS * 4);
  for (const row of rows) {
    const value = BigInt.asUintN(128, -BigInt(row) * 10n ** 20n);
    for (let word = 0; word < 4; word += 1) huge[row * 4 + word] = Number((value >> BigInt(word * 32)) & 0xffff_ffffn);
  }
  appender.append(ROWS, [
    fixed(BigInt64Array.from(rows, (row) => 2n ** 62n + BigInt(row))),
    fixed(Float64Array.from(rows, (row) => row / 7)),
    fixed(Int16Array.from(rows, (row) => -(row % 9999))),
    fixed(Int32Array.from(rows, (row) => row * 1000)),
    fixed(Uint8Array.from(rows, (row) => row % 2)),
    fixed(Int32Array.from(rows, (row) => row - 2500)),
    fixed(BigInt64Array.from(rows, (row) => BigInt(row) * 1_000_001n)),
    { ...fixed(huge), width: 16 } as AppendedColumn,
  ]);
  appender.close();
  const [row] = await db.rows(
    `SELECT count(*), count(*) FILTER (
       big = 4611686018427387904 + n AND ratio = n / 7 AND small = -n / 100 AND price = n * 10 AND flag = (n % 2 = 1)
       AND day = date '1970-01-01' + (n - 2500)::INTEGER AND moment = make_timestamp(n * 1000001)
       AND huge = -(n::DECIMAL(38, 9)) * 100000000000)
     FROM (SELECT *, (row_number() OVER () - 1)::BIGINT AS n FROM t)`,
  );
  expect(row?.map(Number)).toEqual([ROWS, ROWS]);
});

it('appends texts short and long, and nothing where there is nothing', async () => {
  await using db = await database();
  await db.run('CREATE TEMP TABLE t (word VARCHAR, n BIGINT)');
  const words = rows.map(
    (row) =>
      ['', 'elf bytes..', 'zwölf bytes', 'zwölf  bytes', 'thirteen byte', `漢 long ${'ü'.repeat(row % 50)}`][row % 6] ?? '',
  );
  const appender = await openColumnAppender(db, 't');
  appender.append(ROWS, [
    text(
      words,
      bits((row) => row % 5 !== 0),
    ),
    fixed(
      BigInt64Array.from(rows, BigInt),
      bits((row) => row !== 4999),
    ),
  ]);
  // Without nulls after some with them: what was null in a vector must not stay it.
  appender.append(ROWS, [text(words), fixed(BigInt64Array.from(rows, BigInt))]);
  appender.close();
  const found = await db.rows('SELECT word, n FROM t');
  const number = (row: number) => BigInt(row);
  expect(found.slice(0, ROWS)).toEqual(
    rows.map((row) => [row % 5 === 0 ? null : words[row], row === 4999 ? null : number(row)]),
  );
  expect(found.slice(ROWS)).toEqual(rows.map((row) => [words[row], number(row)]));
});
