import { BATCH_ROWS } from '../domain/column-batch.ts';
import type { ReasonFacts } from '../domain/reasons.ts';
import type { Column } from '../domain/schema.ts';
import { SCORE_SCALE } from '../domain/tables.ts';
import { createEncoder } from '../features/encoder.ts';
import { createFeatureHasher } from '../features/hash.ts';
import type { Bundle } from '../model/bundle.ts';
import { scoresOf } from '../model/scores.ts';
import { inBatches } from '../runtime/batches.ts';
import { openSession, type SessionOptions } from '../runtime/session.ts';
import type { TextRow } from '../warehouse/reader.ts';
import type { Baseline } from './baseline.ts';
import { createExplainer } from './explainer.ts';
import { textBatch } from './feature-rows.ts';
import { reasonTexts, renderReasons } from './reasons.ts';

/** A user whose score to explain. */
export interface UserToExplain {
  /** Features as canonical strings, in the order of `featuresOf`; undefined if they could not be read. */
  readonly texts: TextRow | undefined;
  /** The published score, in millionths. */
  readonly millionths: number;
  /** See `TopRow`. */
  readonly featureHash: string | undefined;
}

export interface ExplainOptions extends SessionOptions {
  readonly bundle: Bundle;
  readonly baseline: Baseline;
  /** Columns that feed the features, in the order of `featuresOf`. */
  readonly columns: readonly Column[];
  /** Reasons per user. */
  readonly features: number;
}

export interface Explained extends Pick<ReasonFacts, 'method' | 'users' | 'changed'> {
  /** Reasons of each user, strongest first; all null for a user without reasons. */
  readonly rows: readonly (readonly (string | null)[])[];
}

/** Scores of two providers may differ by this much, in millionths. */
const TOLERANCE = 1.5;

/**
 * Finds the features that raise the scores most. Rows are first encoded and scored again: if features do not yield the
 * published score, or their hash differs, the source has changed, and the user gets no reason.
 */
export async function explainUsers(users: readonly UserToExplain[], options: ExplainOptions): Promise<Explained> {
  const { bundle, baseline, columns, features } = options;
  const { signature } = bundle;
  const session = await openSession(bundle, options);
  try {
    const explainer = await createExplainer(bundle, baseline, session);
    const templates = reasonTexts(bundle, baseline);
    const encoder = createEncoder(signature, columns, BATCH_ROWS);
    const hasher = createFeatureHasher();
    const rows: (readonly (string | null)[])[] = users.map(() => Array.from({ length: features }, () => null));
    const readable = users.flatMap(({ texts }, at) => (texts === undefined ? [] : [{ texts, at }]));
    let [explained, same] = [0, 0];
    for (let first = 0; first < readable.length; first += BATCH_ROWS) {
      const some = readable.slice(first, first + BATCH_ROWS);
      const batch = textBatch(
        some.map(({ texts }) => texts),
        encoder.kinds,
      );
      const rejected = new Int32Array(batch.rows);
      encoder.encode(batch, 0, rejected);
      const tensors = encoder.tensors(batch.rows);
      const scores = await scoresOf(
        inBatches(session, undefined, { even: signature.classes !== undefined }),
        tensors,
        signature.output,
      );
      const words = new Uint32Array(2 * batch.rows);
      hasher.hash(tensors, rejected, batch.rows, words);
      const values = await explainer.explain(tensors, batch.rows);
      const texts = renderReasons({
        ...{ texts: templates, values, rows: batch.rows, features },
        cell: (row, feature) => some[row]?.texts[feature] ?? null,
      });
      for (const [row, { at }] of some.entries()) {
        const user = users[at];
        if (user === undefined || rejected[row] !== 0) continue;
        const score = Math.round((scores[row] ?? Number.NaN) * 10 ** SCORE_SCALE);
        if (!(Math.abs(score - user.millionths) < TOLERANCE)) continue;
        if (user.featureHash !== undefined && user.featureHash !== hashText(words, row)) continue;
        same += 1;
        rows[at] = texts[row] ?? [];
        if (rows[at]?.some((text) => text !== null)) explained += 1;
      }
    }
    return { rows, method: explainer.method, users: explained, changed: users.length - same };
  } finally {
    await session.close();
  }
}

/** The two words of a hash in the form of staging: a signed 64-bit integer. */
function hashText(words: Uint32Array, row: number): string {
  const unsigned = (BigInt(words[2 * row + 1] ?? 0) << 32n) | BigInt(words[2 * row] ?? 0);
  return String(BigInt.asIntN(64, unsigned));
}
