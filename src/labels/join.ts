import type { Query } from '../domain/query.ts';
import type { Segment } from '../evaluation/rows.ts';
import { type EvaluatedUsers, makeUsers } from '../evaluation/users.ts';
import type { Sink, Source } from '../warehouse/warehouse.ts';
import type { LabelColumns } from './columns.ts';
import { type PublishedScores, readScores } from './published.ts';
import { partitionsOf, readLabels, UNLABELLED } from './select.ts';

export interface JoinOptions {
  readonly source: Source;
  readonly sink: Sink;
  readonly labels: { readonly query: Query; readonly columns: LabelColumns; readonly rows: number };
  readonly scores: PublishedScores & { readonly rows: number };
  readonly segments: readonly Segment[];
  /** Users without a label: leave them out, or count them as negative. */
  readonly missing: 'exclude' | 'negative';
  readonly signal: AbortSignal;
}

export interface Joined {
  /** Users whose outcome counts. */
  readonly users: EvaluatedUsers;
  /** Published users. */
  readonly published: number;
  /** Published users that the query of labels returns. */
  readonly matched: number;
  /** Of these, users whose outcome is known. */
  readonly known: number;
}

/**
 * Joins the published scores with the labels by the key's hash, which every warehouse computes the same way, so source and sink
 * can be different ones. Reads one partition of the keys at a time, so memory stays bounded. Rows beyond `scores.rows` are only
 * counted.
 */
export async function joinLabels(options: JoinOptions): Promise<Joined> {
  const { source, sink, labels, scores, segments, missing, signal } = options;
  const numbers = segments.map(({ values }) => new Map(values.map((value, i) => [value, i + 1])));
  const users = makeUsers(scores.rows, segments.length);
  let [published, matched, known] = [0, 0, 0];
  for (const partition of partitionsOf(Math.max(labels.rows, scores.rows))) {
    signal.throwIfAborted();
    const found = await readLabels(source, labels.query, labels.columns, partition);
    for (const [hash, score, decile, ...values] of await readScores(sink, scores, partition)) {
      const label = found.get(String(hash));
      published += 1;
      matched += label === undefined ? 0 : 1;
      known += label?.cameTrue === undefined ? 0 : 1;
      const { cameTrue, treated } = label ?? UNLABELLED[missing];
      if (cameTrue === undefined || published > scores.rows) continue;
      users.add({
        ...{ score: Number(score), decile: Number(decile), cameTrue, treated },
        segments: numbers.map((of, i) => of.get(values[i] ?? null) ?? 0),
      });
    }
  }
  return { users, published, matched, known };
}
