import { grouped } from '../../domain/counted.ts';
import { ScoreBatchError } from '../../errors.ts';
import { type Bundle, loadBundle } from '../../model/bundle.ts';
import { readGoldenBatch } from '../../model/golden.ts';
import { createModelRun } from '../../model/model-run.ts';
import type { Predictions } from '../../model/predictions.ts';
import { tryBundle } from '../../model/try-bundle.ts';
import { isOutOfMemory } from '../../runtime/errors.ts';
import { openSession, type Session } from '../../runtime/session.ts';
import { ServeFailure } from '../failure.ts';
import type { FeatureLookup, LookupEvents } from '../feature-lookup.ts';
import type { OnlineModel, ScoreRequest } from '../online-model.ts';
import type { ServeSettings } from '../settings.ts';
import { singleRows } from './batch-rows.ts';
import { compareBits } from './bits.ts';
import { createQueue } from './queue.ts';
import { measureRowLimit } from './row-limit.ts';

/** Events of a model that is answering. */
export interface ModelEvents {
  /** A run, for all requests that share it. */
  readonly run?: (rows: number) => void;
  /**
   * The device failed in a run. @param outOfMemory true if fewer rows may succeed; otherwise it will not work again in this
   * process
   */
  readonly deviceFailed?: (error: ScoreBatchError, outOfMemory: boolean) => void;
  readonly lookup?: LookupEvents;
}

/**
 * Loads a bundle, proves its golden rows, opens the session that answers, and measures it. Blocks the thread while the model is
 * read; scoring loads nothing further.
 *
 * @throws ScoreBatchError `configuration` if the bundle is invalid, or a row's values depend on the rows beside it
 */
export async function loadOnlineModel(folder: string, settings: ServeSettings, events: ModelEvents = {}): Promise<OnlineModel> {
  const bundle = await loadBundle(folder);
  const { providers, requireGpu } = settings;
  const { execution } = await tryBundle(bundle, { providers, requireGpu });
  const session = await openSession(bundle, { providers: execution.devices.slice(0, 1), requireGpu });
  try {
    return await prepare(bundle, session, settings, events);
  } catch (error) {
    await session.close();
    throw error;
  }
}

async function prepare(bundle: Bundle, session: Session, settings: ServeSettings, events: ModelEvents): Promise<OnlineModel> {
  const { signature, definition, digest } = bundle;
  const { classes, output } = signature;
  const { limits, maxDelayMs } = settings;
  const free = createModelRun(session, signature);
  const golden = await readGoldenBatch(bundle, free.kinds);
  const { rows: maxRows, secondsPerRow } = await measureRowLimit(free, golden, session.provider === 'cpu');
  const { bits, runRows } = await compareBits(free, singleRows(golden), maxRows, bundle.file);
  const features = await lookupOf(bundle, runRows, settings, events.lookup);
  let requestRows = limits.rows ?? maxRows;
  // Reuse it: another encoder would read all categories again, while requests wait.
  const { kinds, run } = createModelRun(session, signature, { callRows: runRows, capacity: Math.max(runRows, requestRows) });
  const counted: typeof run = async (batches) => {
    events.run?.(batches.reduce((sum, batch) => sum + batch.rows, 0));
    try {
      return await run(batches);
    } catch (error) {
      if (error instanceof ScoreBatchError && error.kind === 'unavailable') events.deviceFailed?.(error, isOutOfMemory(error));
      throw error;
    }
  };
  const queue = createQueue({ run: counted, runRows, queuedRows: limits.queuedRows, maxDelayMs, secondsPerRow });
  const dtype = session.metadata.outputs.find(({ name }) => name === output.name)?.dtype;
  const outputDtype = dtype === 'float64' ? 'float64' : 'float32';
  const width = classes?.labels.length ?? 1;
  const nothing: Predictions = {
    rows: 0,
    values: outputDtype === 'float64' ? new Float64Array(0) : new Float32Array(0),
    width,
    labels: classes?.label === undefined ? undefined : [],
    rejected: new Int32Array(0),
  };
  let closing: Promise<void> | undefined;
  const close = async () => {
    features?.close();
    await queue.close();
    await session.close();
  };
  return {
    name: definition.name,
    version: definition.version,
    digest,
    bundle,
    classes: classes?.labels,
    outputDtype,
    kinds,
    features,
    get maxRows() {
      return requestRows;
    },
    setMaxRows(rows) {
      requestRows = rows;
    },
    runRows,
    sameBits: bits.same,
    bits,
    queuedRows: queue.rows,
    async score(request: ScoreRequest) {
      const { rows } = request.batch;
      if (rows === 0) return nothing;
      if (rows > requestRows) throw tooLarge(rows, requestRows);
      return await queue.add(request);
    },
    close() {
      closing ??= close();
      return closing;
    },
  };
}

/** The Feast client is loaded only if the settings name a server. */
async function lookupOf(
  { signature }: Bundle,
  sharedRows: number,
  { features: store, limits }: ServeSettings,
  events: LookupEvents = {},
): Promise<FeatureLookup | undefined> {
  if (store === undefined) return undefined;
  const { openFeastLookup } = await import('../../feast/feast-lookup.ts');
  const { queuedRows, text } = limits;
  return await openFeastLookup({ store, signature, sharedRows, queuedRows, text, events });
}

function tooLarge(rows: number, maxRows: number): ServeFailure {
  return new ServeFailure(
    'too large',
    `the request has ${grouped(rows)} rows, but this model accepts at most ${grouped(maxRows)}`,
    {
      hint: 'send the rows in several requests',
    },
  );
}
