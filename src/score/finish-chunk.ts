import path from 'node:path';
import type { ScoredFile } from '../domain/attempt.ts';
import type { AttemptFacts } from '../domain/attempt-facts.ts';
import { newAttemptId } from '../domain/attempt-id.ts';
import { scorerId } from '../domain/scorer.ts';
import { featuresOf } from '../domain/signature.ts';
import { canFeed } from '../warehouse/feeding.ts';
import type { ChunkTask } from './messages.ts';
import { type ChunkResult, writeScoredFile } from './scored-file.ts';
import type { Stopwatch } from './stopwatch.ts';
import type { ChunkWorkspace } from './workspace.ts';

/** What is known of a chunk once all its rows have an outcome. */
export interface ChunkOutcome {
  readonly result: ChunkResult;
  /** Number of keys in the table `duplicates` (see `findDuplicates`). */
  readonly duplicates: number;
  readonly facts: Omit<AttemptFacts, 'scorer'>;
  readonly clock: Stopwatch;
}

/** Writes a chunk with its outcomes to a scored file. */
export async function finishChunk(
  { chunk }: ChunkTask,
  { setup, source, session, database }: ChunkWorkspace,
  { result, duplicates, facts, clock }: ChunkOutcome,
): Promise<ScoredFile> {
  await database.release();
  const attempt = newAttemptId(setup.frozen.id, scorerId(setup.scorer));
  const file = path.join(setup.folder, `chunk-${chunk}-${attempt}.parquet`);
  await writeScoredFile(database, result, {
    file,
    memory: setup.memory,
    key: setup.key,
    keep: setup.keep,
    classes: setup.classes,
    features: setup.features,
    featureNames: featuresOf(setup.signature).map(({ feature }) => feature.name),
    rejectedApart: setup.slice === undefined && canFeed(source),
    hashValues: setup.hashValues,
    hashKey: setup.hashKey,
    stagesText: setup.stagesText,
    duplicates,
    chunk,
    attempt,
    provider: session.provider,
    facts: { scorer: setup.scorer, ...facts },
    scoredAt: setup.scoredAt,
  });
  await database.release();
  clock.lap('write');
  return { chunk, attempt, file, rows: result.rows, provider: session.provider, seconds: clock.seconds };
}
