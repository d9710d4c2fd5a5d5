import type { Column, Schema } from '../domain/schema.ts';
import { featuresOf } from '../domain/signature.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Job } from '../job/load.ts';
import type { JobDefinition } from '../job/schema.ts';
import type { Bundle } from '../model/bundle.ts';
import { featureColumns } from '../model/query-check.ts';
import { loadJobBundle } from './job-bundle.ts';

/** A second model that scores the same frozen rows as the model of the job, and is published to a table of its own. */
export interface Challenger {
  /** Folder of its bundle, as in the job file. */
  readonly model: string;
  /** Undefined if it cannot be read. */
  readonly bundle: Bundle | undefined;
  /** Columns that feed its features, in the order of the features; empty if it cannot score. */
  readonly features: readonly Column[];
  /** Why it cannot score; undefined if it can. It never stops the run. */
  readonly problem: ScoreBatchError | undefined;
}

/** The bundle of the job's challenger, or why it cannot be read; undefined if the job has no challenger. */
export async function loadChallenger(job: Job): Promise<Omit<Challenger, 'features'> | undefined> {
  if (job.definition.challenger === undefined) return undefined;
  const { model } = job.definition.challenger;
  try {
    const bundle = await loadJobBundle(job, 'challenger');
    return { model, bundle, problem: undefined };
  } catch (error) {
    return { model, bundle: undefined, problem: asProblem(error) };
  }
}

/** Adds the query's columns that feed the challenger. */
export function planChallenger(
  loaded: Omit<Challenger, 'features'> | undefined,
  definition: JobDefinition,
  schema: Schema,
): Challenger | undefined {
  if (loaded?.bundle === undefined) return loaded && { ...loaded, features: [] };
  try {
    const renames = renamesOf(definition.features, loaded.bundle, undefined);
    return { ...loaded, features: featureColumns(loaded.bundle.signature, schema, renames) };
  } catch (error) {
    return { ...loaded, features: [], problem: asProblem(error) };
  }
}

/**
 * The job as if it had no challenger: without renames of features that only the challenger has. If its bundle cannot be read, these
 * are all that the champion does not have.
 *
 * @param loaded undefined if the job has no challenger
 */
export function championDefinition(
  definition: JobDefinition,
  champion: Bundle,
  loaded: Pick<Challenger, 'bundle'> | undefined,
): JobDefinition {
  if (loaded === undefined) return definition;
  return { ...definition, features: renamesOf(definition.features, champion, loaded.bundle) };
}

/**
 * Renames of the bundle's features. Those that neither bundle has are kept, to be reported as mistakes.
 *
 * @param other undefined if only this bundle's renames are wanted
 */
export function renamesOf(
  renames: JobDefinition['features'],
  bundle: Bundle,
  other: Bundle | undefined,
): JobDefinition['features'] {
  const has = ({ signature }: Bundle, name: string) => featuresOf(signature).some(({ feature }) => feature.name === name);
  const kept = (name: string) => has(bundle, name) || (other !== undefined && !has(other, name));
  return Object.fromEntries(Object.entries(renames).filter(([name]) => kept(name)));
}

/** @throws the error itself if it is not for the user */
function asProblem(error: unknown): ScoreBatchError {
  if (error instanceof ScoreBatchError) return error;
  throw error;
}
