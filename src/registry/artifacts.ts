import { createHash } from 'node:crypto';
import { z } from 'zod';
import { ScoreBatchError } from '../errors.ts';
import { artifactUrl, insidePath, LISTING } from './artifact-path.ts';
import { askFor, getting } from './ask.ts';
import { newFile, UNUSED, writing } from './new-file.ts';
import { down, send } from './request.ts';
import { type TrackingServer, transferMs } from './server.ts';

/** A file among a model's artifacts. */
export interface Artifact {
  /** Relative to the model's root. */
  readonly path: string;
  /** As listed; undefined if the server does not say. */
  readonly bytes: number | undefined;
}

/** An MLflow model has about ten files. */
const MAX_FILES = 1000;
const MAX_DEPTH = 5;

const listing = z.object({
  files: z
    .array(
      z.object({
        path: z.string(),
        is_dir: z.boolean().default(false),
        file_size: z
          .union([
            z.number(),
            z
              .string()
              .regex(/^\d{1,15}$/)
              .transform(Number),
          ])
          .nullish(),
      }),
    )
    .default([]),
});

/**
 * Lists all files of a model, within the timeout of one answer.
 *
 * @param root see `artifactRoot`
 * @throws ScoreBatchError `configuration` if a path leaves the model, a name appears twice, or there are too many
 */
export async function listArtifacts(server: TrackingServer, root: string): Promise<Artifact[]> {
  const late = new AbortController();
  const { timeoutMs, signal } = server;
  const timer = setTimeout(() => {
    late.abort(down(server, `did not list all artifacts within ${timeoutMs / 1000} s (MLFLOW_HTTP_REQUEST_TIMEOUT)`));
  }, timeoutMs);
  try {
    return await listAll({ ...server, signal: AbortSignal.any([signal, late.signal]) }, root);
  } finally {
    clearTimeout(timer);
  }
}

async function listAll(server: TrackingServer, root: string): Promise<Artifact[]> {
  const found: Artifact[] = [];
  const seen = new Set<string>();
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const path = folder === '' ? root : `${root}/${folder}`;
    const { files } = await askFor(server, getting(LISTING, { path }), listing);
    for (const { path: name, is_dir, file_size } of files) {
      const inner = insidePath(folder === '' ? name : `${folder}/${name}`);
      if (seen.has(inner)) throw strange(`lists ${inner} twice`);
      seen.add(inner);
      if (seen.size > MAX_FILES || inner.split('/').length > MAX_DEPTH) {
        throw strange(`lists more than ${MAX_FILES} artifacts for one version, or folders more than ${MAX_DEPTH} deep`);
      }
      if (is_dir) folders.push(inner);
      else found.push({ path: inner, bytes: file_size ?? undefined });
    }
  }
  return found;
}

/**
 * Downloads an artifact to a new file.
 *
 * @param to created, with its folder
 * @param limit bytes
 * @returns its SHA-256, hex
 * @throws ScoreBatchError `configuration` if its size differs from the listed one or exceeds the limit, or if its path cannot be
 *   a file here; `permission` if it cannot be written
 */
export async function download(
  server: TrackingServer,
  {
    root,
    artifact,
    to,
    limit,
  }: { readonly root: string; readonly artifact: Artifact; readonly to: string; readonly limit: number },
): Promise<string> {
  const { path, bytes: listed } = artifact;
  if ((listed ?? 0) > limit) throw strange(`lists ${listed} bytes for ${path}, but the limit is ${limit}`);
  const { status, body, more, end } = await send(server, getting(artifactUrl(root, path)));
  const hash = createHash('sha256');
  let bytes = 0;
  const allowed = transferMs(server, listed ?? limit);
  const until = performance.now() + allowed;
  try {
    if (status !== 200) throw strange(`lists ${path}, but answers with ${status} when it is read`);
    const file = await newFile(to, path);
    try {
      for await (const part of body) {
        bytes += part.length;
        if (bytes > (listed ?? limit)) throw otherBytes(path, listed, 'more');
        hash.update(part);
        await writing(to, () => file.writeFile(part));
        // A server that sends a byte now and then would never count as silent.
        if (performance.now() > until) throw slow(server, path, allowed);
        more();
      }
      if (listed !== undefined && bytes !== listed) throw otherBytes(path, listed, String(bytes));
      await writing(to, () => file.sync());
    } finally {
      await writing(to, () => file.close());
    }
  } finally {
    end();
  }
  return hash.digest('hex');
}

function otherBytes(path: string, listed: number | undefined, found: string): ScoreBatchError {
  return strange(`lists ${listed ?? 'no number of'} bytes for ${path}, but sends ${found}`);
}

function slow(server: TrackingServer, path: string, allowed: number): ScoreBatchError {
  return down(server, `did not send ${path} within ${Math.round(allowed / 100) / 10} s (MLFLOW_HTTP_REQUEST_TIMEOUT)`);
}

function strange(what: string): ScoreBatchError {
  return new ScoreBatchError('configuration', `the registry ${what}`, { hint: UNUSED });
}
