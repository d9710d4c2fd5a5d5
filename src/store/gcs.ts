import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { File } from '@google-cloud/storage';
import type { StoreAddress } from '../domain/store-address.ts';
import { SilenceError, within } from '../warehouse/timeouts.ts';
import { notAStore } from './failure.ts';
import { gcsError, statusOf } from './gcs-failure.ts';
import { markOf, metadataOf } from './mark.ts';
import type { ObjectStore, Upload } from './object-store.ts';
import { loadGcs } from './packages.ts';
import type { Opening } from './s3.ts';

/** Retries after the first attempt. */
const RETRIES = 3;
/** Seconds between the first attempts; the client does not let us change it. */
const LEAST_DELAY = 2;
/** Bytes per request of a large upload; a multiple of 256 KiB. Smaller files are sent in one request. */
const PIECE = 8 * 2 ** 20;

/**
 * Google Cloud Storage, or a server at STORAGE_EMULATOR_HOST, which gets no credentials. Credentials are the client's
 * Application Default Credentials.
 *
 * @throws ScoreBatchError `configuration` if the client is not installed
 */
export async function openGcs({ environment, signal, timeouts }: Opening): Promise<ObjectStore> {
  const { Storage } = await loadGcs();
  const { STORAGE_EMULATOR_HOST: host, GOOGLE_CLOUD_UNIVERSE_DOMAIN: universe } = environment;
  const emulator = host && (host.includes('://') ? host : `http://${host}`).replace(/\/+$/, '');
  const storage = new Storage({
    timeout: timeouts.request,
    retryOptions: {
      maxRetries: RETRIES,
      totalTimeout: timeouts.upload / 1000,
      maxRetryDelay: Math.max(LEAST_DELAY, timeouts.maxPause / 1000),
    },
    ...(universe && { universeDomain: universe }),
    ...(emulator && { apiEndpoint: emulator }),
  });
  // The client takes this variable as the whole base of its addresses.
  if (emulator) Object.assign(storage, { baseUrl: `${emulator}/storage/v1` });
  // Upper bound of the client's attempts and pauses.
  const patience = (RETRIES + 1) * (timeouts.request + timeouts.pause * 2);
  const asked = async <T>(address: StoreAddress, work: () => Promise<T>, ms = patience): Promise<T> => {
    try {
      // Check credentials first: without any, the client would send the request anyway, and report that answer.
      if (!emulator) await within(storage.authClient.getClient(), timeouts.request, signal);
      return await within(work(), ms, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw gcsError(address, error);
    }
  };
  const fileOf = ({ bucket, key }: StoreAddress): File => storage.bucket(bucket).file(key);
  return {
    look: (address) =>
      asked(address, async () => {
        try {
          const [{ generation, metadata }] = await fileOf(address).getMetadata();
          if (generation === undefined) throw notAStore(address);
          return { version: String(generation), mark: markOf(metadata) };
        } catch (error) {
          if (statusOf(error) === 404) return undefined;
          throw error;
        }
      }),
    async put(address, upload) {
      const { size } = await stat(upload.file);
      const send =
        size <= PIECE
          ? () => sendAtOnce(fileOf(address), upload)
          : () => sendPieces(fileOf(address), upload, { signal, silence: patience });
      return await asked(
        address,
        async () => {
          try {
            await send();
            return 'in place';
          } catch (error) {
            if (statusOf(error) === 412) return 'changed';
            throw error;
          }
        },
        size <= PIECE ? patience : timeouts.job,
      );
    },
    // An unfinished upload is not an object. The store forgets it after a week.
    mayWrite: (address) => asked(address, async () => void (await fileOf(address).createResumableUpload())),
    list: (prefix) =>
      asked(prefix, async () => {
        const [files] = await storage.bucket(prefix.bucket).getFiles({ prefix: prefix.key });
        return new Set(files.map(({ name }) => name));
      }),
  };
}

async function sendAtOnce(object: File, upload: Upload): Promise<void> {
  const content = await readFile(upload.file);
  const md5Hash = createHash('md5').update(content).digest('base64');
  await object.save(content, { resumable: false, ...optionsOf(upload, md5Hash) });
}

/** @throws SilenceError if no progress was made for `silence` milliseconds */
async function sendPieces(
  object: File,
  upload: Upload,
  { signal, silence }: { readonly signal: AbortSignal; readonly silence: number },
): Promise<void> {
  const hash = createHash('md5');
  for await (const piece of createReadStream(upload.file)) hash.update(piece);
  const stalled = new AbortController();
  const stall = setTimeout(() => stalled.abort(new SilenceError(silence)), silence);
  const watched = new Transform({
    transform(piece, _, done) {
      stall.refresh();
      done(null, piece);
    },
    flush(done) {
      stall.refresh();
      done();
    },
  });
  const options = { resumable: true, chunkSize: PIECE, ...optionsOf(upload, hash.digest('base64')) };
  try {
    await pipeline(createReadStream(upload.file), watched, object.createWriteStream(options), {
      signal: AbortSignal.any([signal, stalled.signal]),
    });
  } catch (error) {
    if (stalled.signal.aborted) throw stalled.signal.reason;
    throw error;
  } finally {
    clearTimeout(stall);
  }
}

/** @param md5Hash lets the store refuse an incomplete file */
function optionsOf({ type, mark, version }: Upload, md5Hash: string) {
  return {
    // With validation, the client would delete an object with another checksum, even one that another writer has since put
    // there.
    validation: false as const,
    preconditionOpts: { ifGenerationMatch: version ?? 0 },
    metadata: { contentType: type, cacheControl: 'no-cache', md5Hash, metadata: metadataOf(mark) },
  };
}
