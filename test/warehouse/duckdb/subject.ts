import { mkdir, readdir, rename } from 'node:fs/promises';
import path from 'node:path';
import type { Column } from '../../../src/domain/schema.ts';
import { identifier, literal, tableIdentifier } from '../../../src/duckdb/sql.ts';
import { openDuckdb } from '../../../src/warehouse/duckdb/open.ts';
import { query, statements, temporaryFolder } from '../../support/project.ts';
import type { Kind, Subject } from '../conformance/subject.ts';

const SILENT = { environment: {}, warn: () => undefined };

export async function makeSubject(): Promise<Subject> {
  // Folders of such names are columns to DuckDB, before those of a file, unless it is told otherwise.
  const root = path.join(await temporaryFolder(), 'c0=7', 'key_0=7', 'score=0.7', 'rank=7');
  await mkdir(root, { recursive: true });
  const file = path.join(root, 'warehouse.duckdb');
  await statements(file, []);
  return {
    open: ({ job = 'job', signal = new AbortController().signal } = {}) =>
      openDuckdb({
        url: 'duckdb:warehouse.duckdb',
        job,
        root,
        scratch: 'scratch',
        memory: 1e9,
        maxBytes: undefined,
        ...SILENT,
        signal,
      }),
    execute: (sql) => statements(file, [sql]),
    rows: (sql) => query(file, sql),
    table: tableIdentifier,
    quote: identifier,
    literal,
    alterFrozen: (how) => rewrite(`${file}.scratch/run/frozen/rows`, how === 'a row more' ? MORE : 'c2 + 1 as c2'),
    alterStaged: () => rewrite(`${file}.scratch/run/staged`, MORE),
    odd: { table: 'odd "scores"; x', column: `it's "a"; column` },
    integerType: 'bigint',
    stringType: 'varchar',
    range: (n) => `range(${n}) as numbers(i)`,
    kinds: KINDS,
  };
}

const MORE = 'a row more';

/** Writes the first Parquet file of a folder anew, with a row more or a column replaced. */
async function rewrite(folder: string, change: string): Promise<void> {
  const [name = ''] = (await readdir(folder)).sort();
  const [file, made] = [path.join(folder, name), path.join(folder, `${name}.new`)];
  const rows = `read_parquet(${literal(file)}, hive_partitioning = false)`;
  const changed =
    change === MORE ? `from ${rows} union all (from ${rows} limit 1)` : `select * replace (${change}) from ${rows}`;
  await statements(path.join(await temporaryFolder(), 'any.duckdb'), [
    `copy (${changed}) to ${literal(made)} (format parquet)`,
  ]);
  await rename(made, file);
}

const KINDS: readonly Kind[] = [
  kind('tiny', 'integer', 'TINYINT', ['(-128)::tinyint', '127::tinyint'], ['-128', '127']),
  kind(
    'big',
    'integer',
    'BIGINT',
    ['9007199254740993', '(-9223372036854775807 - 1)::bigint'],
    ['9007199254740993', '-9223372036854775808'],
  ),
  kind(
    'unsigned',
    'decimal',
    'UBIGINT',
    ['18446744073709551615::ubigint', '0::ubigint'],
    ['18446744073709551615', '0'],
    [38, 0],
  ),
  kind(
    'huge',
    'decimal',
    'HUGEINT',
    ['12345678901234567890123456789012345678::hugeint', '(-1)::hugeint'],
    ['12345678901234567890123456789012345678', '-1'],
    [38, 0],
  ),
  kind(
    'price',
    'decimal',
    'DECIMAL(18,4)',
    ['12345678901234.5678::decimal(18,4)', '(-0.0001)::decimal(18,4)'],
    ['12345678901234.5678', '-0.0001'],
    [18, 4],
  ),
  kind('ratio', 'float', 'DOUBLE', ['0.1::double', '1e300::double'], ['0.1', '1e+300']),
  kind('half', 'float', 'FLOAT', ['0.5::float', '(-16777216)::float'], ['0.5', '-16777216.0']),
  kind('flag', 'bool', 'BOOLEAN', ['true', 'false'], ['true', 'false']),
  kind('text', 'string', 'VARCHAR', [`'ü 漢 \u{1F600} e\u0301'`, `''`], ['ü 漢 \u{1F600} e\u0301', '']),
  kind('day', 'date', 'DATE', [`date '2024-02-29'`, `date '1583-01-01'`], ['2024-02-29', '1583-01-01']),
  kind(
    'wall_clock',
    'datetime',
    'TIMESTAMP',
    [`timestamp '2026-11-01 01:30:00.123456'`, `timestamp '1969-12-31 23:59:59'`],
    ['2026-11-01 01:30:00.123456', '1969-12-31 23:59:59'],
  ),
  kind(
    'instant',
    'timestamp',
    'TIMESTAMP WITH TIME ZONE',
    [`timestamptz '2026-11-01 01:30:00.123456-05'`, `timestamptz '1970-01-01 00:00:00+01'`],
    ['2026-11-01 06:30:00.123456+00', '1969-12-31 23:00:00+00'],
  ),
  kind(
    'identity',
    'uuid',
    'UUID',
    [`'ffffffff-ffff-4fff-bfff-ffffffffffff'::uuid`, `'00000000-0000-4000-8000-000000000001'::uuid`],
    ['ffffffff-ffff-4fff-bfff-ffffffffffff', '00000000-0000-4000-8000-000000000001'],
  ),
];

function kind(
  name: string,
  type: Column['type'],
  native: string,
  expressions: Kind['expressions'],
  values: Kind['values'],
  digits?: Column['digits'],
): Kind {
  return { column: { name, type, native, ...(digits && { digits }) }, expressions, values };
}
