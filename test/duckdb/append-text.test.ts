import { expect, it } from 'vitest';
import { appendText } from '../../src/duckdb/append-text.ts';
import { openDatabase } from '../../src/duckdb/database.ts';
import { temporaryFolder } from '../support/project.ts';

it('appends texts of any length and nulls, over several vectors', async () => {
  await using database = await openDatabase(':memory:', { memory: 1e9, temporary: await temporaryFolder() });
  const rows = Array.from({ length: 5000 }, (_, i) => [
    i % 3 === 0 ? null : `ü 漢 \u{1F600} ${i}`,
    String(i),
    i < 2048 ? null : '',
    'x'.repeat(i % 50),
  ]);
  await database.run('CREATE TEMP TABLE texts (a VARCHAR, b VARCHAR, c VARCHAR, d VARCHAR)');
  await appendText(database, 'texts', 4, rows);
  await appendText(database, 'texts', 4, []);
  await appendText(database, 'texts', 4, rows.slice(0, 1));
  expect(await database.rows('SELECT * FROM texts')).toEqual([...rows, rows[0]]);
});
