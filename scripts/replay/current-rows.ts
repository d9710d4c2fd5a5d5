import { FEATURES, type Feature } from './features.ts';
import { SCORE } from './project.ts';
import type { RunSql, Shop } from './shop.ts';

/** A row of the current table. */
export interface CurrentRow {
  readonly customer: number;
  readonly score: number | null;
  readonly band: string | null;
  readonly previousScore: number | null;
  readonly changedAt: string;
  readonly reason: string | null;
  readonly deleted: boolean;
  readonly position: number;
  readonly asOf: string;
  readonly digest: string;
  readonly features: Readonly<Record<Feature, number | null>>;
}

/** Rows written by slices after a position; 0 for all. */
export async function readCurrent(shop: Shop, run: RunSql, after: number): Promise<CurrentRow[]> {
  const rows =
    await run(`select customer_id, ${SCORE} as score, band, previous_score, ${shop.instant('changed_at')} as changed_text,
    reason, deleted, ${shop.position} as place, ${shop.instant('as_of')} as as_of_text, model_digest, ${FEATURES.join(', ')}
    from marketing.churn_current${after === 0 ? '' : ` where ${shop.position} > ${after}`}`);
  return rows.map((row) => ({
    customer: Number(row.customer_id),
    score: numberOf(row.score),
    band: textOf(row.band),
    previousScore: numberOf(row.previous_score),
    changedAt: String(row.changed_text),
    reason: textOf(row.reason),
    deleted: String(row.deleted) === 'true',
    position: Number(row.place),
    asOf: String(row.as_of_text),
    digest: String(row.model_digest),
    features: Object.fromEntries(FEATURES.map((name) => [name, numberOf(row[name])])) as CurrentRow['features'],
  }));
}

export function numberOf(value: unknown): number | null {
  return value === null || value === undefined ? null : Number(value);
}

function textOf(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value);
}
