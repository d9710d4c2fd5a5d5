import { createHash } from 'node:crypto';
import { featuresOf } from '../../domain/signature.ts';
import type { EventFeatures, FieldType } from '../../event-features/definition.ts';
import { millionthsOf } from '../../features/score-rule.ts';
import { loadBundle } from '../../model/bundle.ts';
import { createModelRun } from '../../model/model-run.ts';
import { withScore } from '../../model/scored-class.ts';
import { tryBundle } from '../../model/try-bundle.ts';
import { openSession } from '../../runtime/session.ts';
import type { EventScores, ScorableEvent, Scorer } from '../scorer.ts';
import { createColumns } from './columns.ts';
import { sourcesOf } from './sources.ts';

export interface ScorerOptions {
  /** Folder of the bundle. */
  readonly model: string;
  /** Class whose probability is the score, for bundles with classes. */
  readonly scoreClass: string | undefined;
  readonly features: EventFeatures;
  /** Columns of the attributes of a key; none without attributes. */
  readonly attributes: readonly { readonly name: string; readonly type: FieldType }[];
  readonly renamed: Readonly<Record<string, string>>;
}

const CPU = { providers: ['cpu'], requireGpu: false } as const;

/** The event loop gets a turn between two calls of the model, so that the group does not take a member for dead. */
const CALL_ROWS = 1024;

/**
 * Loads a bundle, finds the source of each of its features, and proves its golden rows.
 *
 * @throws ScoreBatchError `configuration` if the bundle is invalid, or does not fit the events
 */
export async function openScorer({ model, scoreClass, features, attributes, renamed }: ScorerOptions): Promise<Scorer> {
  const bundle = withScore(await loadBundle(model), { class: scoreClass });
  const { signature, definition, digest } = bundle;
  const sources = sourcesOf({ signature, features, attributes, renamed });
  await tryBundle(bundle, CPU);
  const session = await openSession(bundle, CPU);
  const { kinds, run } = createModelRun(session, signature, { callRows: CALL_ROWS });
  const toColumns = createColumns(sources, kinds);
  const index = signature.classes === undefined ? 0 : signature.output.index;
  let last: Promise<unknown> = Promise.resolve();

  async function scored(events: readonly ScorableEvent[]): Promise<EventScores> {
    const { values, width, rejected } = await run([toColumns(events)]);
    const millionths = new Int32Array(events.length);
    for (let row = 0, at = index; row < events.length; row += 1, at += width) {
      if (rejected[row] === 0) millionths[row] = millionthsOf(values[at] as number);
    }
    return { millionths, rejected: Array.from(rejected) };
  }

  return {
    name: definition.name,
    version: definition.version,
    digest,
    definitionDigest: definitionOf(bundle.definitionDigest, { scoreClass, renamed }),
    featureNames: featuresOf(signature).map(({ feature }) => feature.name),
    score(events) {
      if (events.length === 0) return Promise.resolve({ millionths: new Int32Array(0), rejected: [] });
      // All runs share the same tensors.
      const turn = last.then(
        () => scored(events),
        () => scored(events),
      );
      last = turn.catch(() => undefined);
      return turn;
    },
    async close() {
      await last;
      await session.close();
    },
  };
}

function definitionOf(definition: string, { scoreClass, renamed }: Pick<ScorerOptions, 'scoreClass' | 'renamed'>): string {
  const names = Object.entries(renamed).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([definition, scoreClass ?? null, names]))
    .digest('hex');
}
