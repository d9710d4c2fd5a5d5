import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import type { LedgerEntry } from '../../../src/domain/ledger.ts';
import type { AttemptTally } from '../../../src/domain/reconciliation.ts';
import { openDatabase } from '../../../src/duckdb/database.ts';
import { literal } from '../../../src/duckdb/sql.ts';
import { rankRows } from '../../../src/warehouse/duckdb/ranked-rows.ts';
import { temporaryFolder } from '../../support/project.ts';

const MEMORY = 200_000_000;
const ROWS = 5_000;

it('ranks the same in one stretch of scores as in many, ties and all', async () => {
  const root = await temporaryFolder();
  await mkdir(path.join(root, 'scratch', 'run'), { recursive: true });
  const staged = path.join(root, 'chunk-0-ab.parquet');
  await using database = await openDatabase(':memory:', { memory: MEMORY, temporary: root });
  // A third of the rows have one score, more than a stretch has rows; some have none.
  await database.run(
    `COPY (SELECT i AS key_0, CAST(CASE WHEN i % 3 = 0 THEN 0.5 ELSE (i * 7919 % 1000) / 999.0 END AS DECIMAL(7, 6)) AS score,
       TIMESTAMPTZ '2026-11-26 00:00:00Z' AS scored_at FROM range(${ROWS}) t(i)
     UNION ALL SELECT ${ROWS}, NULL, TIMESTAMPTZ '2026-11-26 00:00:00Z') TO ${literal(staged)} (FORMAT parquet)`,
  );
  const file = {
    path: path.join(root, 'w.duckdb'),
    scratch: path.join(root, 'scratch'),
    job: 'job',
    memory: MEMORY,
    signal: new AbortController().signal,
  };
  const spec = {
    entry: { runId: 'run' } as LedgerEntry,
    key: [{ name: 'user_id', type: 'integer' as const, native: 'BIGINT' }],
    keep: [],
    scored: ROWS,
    pinned: [{ chunk: 0, attempt: 'ab' } as AttemptTally],
  };
  const ranks = async (most?: number) => {
    const rows = await database.rows(`SELECT rank, key_0 FROM ${await rankRows(file, spec, root, most)} ORDER BY rank`);
    return rows.map(([rank, key]) => [Number(rank), Number(key)]);
  };
  const once = await ranks();
  const expected = await database.rows(
    `SELECT row_number() OVER (ORDER BY score DESC, key_0) AS rank, key_0 FROM read_parquet(${literal(staged)})
     WHERE score IS NOT NULL ORDER BY rank`,
  );
  expect(once).toEqual(expected.map(([rank, key]) => [Number(rank), Number(key)]));
  expect(await ranks(700)).toEqual(once);
  expect(await ranks(250)).toEqual(once);
});
