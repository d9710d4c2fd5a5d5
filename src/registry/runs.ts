import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { ScoreBatchError } from '../errors.ts';
import { artifactUrl } from './artifact-path.ts';
import { ask, askFor, getting, posting, refusal } from './ask.ts';
import type { TrackingServer } from './server.ts';

// MLflow runs, to which a model's artifacts belong.

const API = '/api/2.0/mlflow';

export interface LoggedRun {
  readonly id: string;
  readonly artifactUri: string;
}

/** The id of an experiment, created if it does not exist. */
export async function experimentId(server: TrackingServer, name: string): Promise<string> {
  const named = getting(`${API}/experiments/get-by-name`, { experiment_name: name });
  const { value, refused } = await ask(server, named, z.object({ experiment: z.object({ experiment_id: z.string() }) }));
  if (refused === undefined) return value.experiment.experiment_id;
  if (refused.code !== 'RESOURCE_DOES_NOT_EXIST') throw refusal(server, refused);
  return (await askFor(server, posting(`${API}/experiments/create`, { name }), z.object({ experiment_id: z.string() })))
    .experiment_id;
}

export async function createRun(
  server: TrackingServer,
  {
    experiment,
    name,
    tags,
    now,
  }: {
    readonly experiment: string;
    readonly name: string;
    readonly tags: Readonly<Record<string, string>>;
    readonly now: number;
  },
): Promise<LoggedRun> {
  const request = posting(`${API}/runs/create`, {
    ...{ experiment_id: experiment, run_name: name, start_time: now },
    tags: Object.entries(tags).map(([key, value]) => ({ key, value })),
  });
  const { run } = await askFor(
    server,
    request,
    z.object({ run: z.object({ info: z.object({ run_id: z.string(), artifact_uri: z.string() }) }) }),
  );
  return { id: run.info.run_id, artifactUri: run.info.artifact_uri };
}

export async function endRun(server: TrackingServer, id: string, status: 'FINISHED' | 'FAILED'): Promise<void> {
  await askFor(server, posting(`${API}/runs/update`, { run_id: id, status, end_time: Date.now() }, true), z.object({}));
}

/** Uploads a string as an artifact. @param root see `artifactRoot` @param path below it */
export async function uploadText(server: TrackingServer, root: string, path: string, text: string): Promise<void> {
  await put(server, root, path, Buffer.from(text));
}

/**
 * Uploads a file as an artifact.
 *
 * @returns the SHA-256 of what was sent, hex
 */
export async function uploadFile(server: TrackingServer, root: string, path: string, file: string): Promise<string> {
  const bytes = await readFile(file);
  await put(server, root, path, bytes);
  return createHash('sha256').update(bytes).digest('hex');
}

async function put(server: TrackingServer, root: string, path: string, body: Buffer<ArrayBuffer>): Promise<void> {
  const request = { method: 'PUT', path: artifactUrl(root, path), body, repeatable: true } as const;
  const { refused } = await ask(server, request, z.object({}));
  if (refused === undefined) return;
  throw new ScoreBatchError('configuration', `the registry at ${server.base} does not accept ${path}: ${refused.code}`, {
    details: refused.message === '' ? [] : [refused.message],
    hint: 'start the tracking server with --serve-artifacts and an --artifacts-destination that it can write to',
  });
}
