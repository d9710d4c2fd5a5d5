import type { Bands } from '../domain/bands.ts';
import type { TableReader } from '../warehouse/reader.ts';
import { keyOrder } from '../warehouse/sql/key-order.ts';
import type { Border } from './pair-facts.ts';
import { asTexts, stepsOf } from './score-steps.ts';
import type { ScoredRows } from './scored-rows.ts';

const MILLION = 1_000_000n;

/** Adds the bands that a publication would assign to rows without any, such as rows scored aside. */
export async function withBands(reader: TableReader, rows: ScoredRows, { by, bounds, rest }: Bands): Promise<ScoredRows> {
  if (rows.banded) return rows;
  const { dialect } = reader;
  const keys = rows.key.map((_, i) => `key_${i}`);
  const bandOf = (conditions: readonly string[]) =>
    conditions.length === 0
      ? dialect.literal(rest)
      : `CASE ${conditions.map((condition, i) => `WHEN ${condition} THEN ${dialect.literal(bounds[i]?.name ?? rest)}`).join(' ')}
          ELSE ${dialect.literal(rest)} END`;
  const banded = (from: string, conditions: readonly string[]): ScoredRows => ({
    ...rows,
    select: `SELECT ${[...keys, 'millionths'].join(', ')}, ${bandOf(conditions)} AS band FROM ${from}`,
    banded: true,
  });
  const plain = `(${rows.select}) unbanded`;
  if (by === 'threshold')
    return banded(
      plain,
      bounds.map(({ bound }) => `millionths >= ${bound}`),
    );
  const borders = await readBorders(
    reader,
    rows,
    bounds.map(({ bound }) => bound),
  );
  const tied = [...new Set(borders.filter(({ taken, tied }) => taken < tied).map(({ millionths }) => millionths))];
  if (tied.length === 0)
    return banded(
      plain,
      borders.map(({ millionths }) => `millionths >= ${millionths}`),
    );
  // Only users with a score at a border need their position among equal scores.
  const order = keyOrder(
    dialect,
    rows.key.map((column) => ({ ...column, native: column.type })),
    false,
  );
  const columns = [...keys, 'millionths'].join(', ');
  const list = tied.join(', ');
  const placed = `(SELECT ${columns}, 0 AS place FROM ${plain} WHERE millionths NOT IN (${list})
    UNION ALL SELECT ${columns}, ROW_NUMBER() OVER (PARTITION BY millionths ORDER BY ${order.join(', ')}) AS place
      FROM ${plain} WHERE millionths IN (${list})) placed`;
  return banded(
    placed,
    borders.map(
      ({ millionths, taken }) => `(millionths > ${millionths} OR (millionths = ${millionths} AND place <= ${taken}))`,
    ),
  );
}

/** The score borders of the given shares of all rows, in parts per million; none without rows. */
async function readBorders(reader: TableReader, { select }: ScoredRows, shares: readonly number[]): Promise<Border[]> {
  const { dialect, rows } = reader;
  const [[total] = []] = await rows(`SELECT ${asTexts(dialect, ['COUNT(*)'])} FROM (${select}) unbanded`);
  if (Number(total) === 0 || shares.length === 0) return [];
  // Rank r is in a band if (r − 1) · 10^6 < n · share.
  const places = shares.map((share) => Number((BigInt(Number(total)) * BigInt(share) + MILLION - 1n) / MILLION));
  const steps = await rows(
    `WITH ${stepsOf('score', `(${select}) unbanded`, 'millionths')}
     SELECT ${asTexts(dialect, ['step', 'n', 'total - upto'])} FROM score_steps
     WHERE ${places.map((place) => `(total - upto < ${place} AND total - upto + n >= ${place})`).join(' OR ')}`,
  );
  const found = steps.map(([step, n, above]) => ({ millionths: Number(step), tied: Number(n), above: Number(above) }));
  return places.map((place) => {
    const at = found.find(({ above, tied }) => above < place && above + tied >= place);
    // A share of 0 has no rows, so its border is above the highest score.
    if (at === undefined) return { millionths: 1_000_001, taken: 0, tied: 0 };
    return { millionths: at.millionths, taken: place - at.above, tied: at.tied };
  });
}
