import type { RiskyUser } from './page-data.ts';
import type { PublishedWindow } from './published-windows.ts';
import { readRiskiest, type Scores } from './score-sql.ts';

interface Options {
  /** Names of the key's columns. */
  readonly key: readonly string[];
  /** Whether the page may show keys. */
  readonly showKeys: boolean;
}

const MOST = 20;

/** The users with the highest scores, and their reasons. */
export async function readUsers(scores: Scores, window: PublishedWindow, job: Options): Promise<RiskyUser[]> {
  const columns = scores.table.columns.map(({ name }) => name);
  const reasons = columns.filter((name) => /^reason_\d+$/.test(name));
  const key = scores.table.columns.slice(0, job.key.length);
  const rows = await readRiskiest(scores, window, { key, most: MOST, columns: ['holdout', ...reasons] });
  return rows.map(([rank, score, band, holdout, ...cells]) => ({
    rank: Number(rank),
    score: Number(score),
    band: String(band),
    holdout: holdout?.toLowerCase() === 'true',
    reasons: cells.slice(0, reasons.length).flatMap((text) => text ?? []),
    key: job.showKeys ? cells.slice(reasons.length).map((text) => text ?? '') : undefined,
  }));
}
