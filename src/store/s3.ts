import type { S3Client } from '@aws-sdk/client-s3';
import type { StoreAddress } from '../domain/store-address.ts';
import type { Timeouts } from '../warehouse/timeouts.ts';
import { notAStore } from './failure.ts';
import { markOf, metadataOf } from './mark.ts';
import type { ObjectStore } from './object-store.ts';
import { loadS3 } from './packages.ts';
import { isChanged, isMissing, s3Error } from './s3-failure.ts';
import { uploadToS3 } from './s3-upload.ts';

export interface Opening {
  readonly environment: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly timeouts: Timeouts;
}

/** Fewer than for a warehouse, because the client itself waits between attempts. */
const ATTEMPTS = 4;

/**
 * Amazon S3, or a compatible server at AWS_ENDPOINT_URL. Credentials and region come from the client's own chain.
 *
 * @throws ScoreBatchError `configuration` if the client is not installed
 */
export async function openS3({ environment, signal, timeouts }: Opening): Promise<ObjectStore> {
  const { S3Client, ...commands } = await loadS3();
  const { AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL } = environment;
  const client: S3Client = new S3Client({
    maxAttempts: ATTEMPTS,
    followRegionRedirects: true,
    // Servers other than Amazon's have no host name per bucket.
    forcePathStyle: Boolean(AWS_ENDPOINT_URL_S3 || AWS_ENDPOINT_URL),
    requestHandler: {
      connectionTimeout: timeouts.request,
      requestTimeout: timeouts.request,
      // The timeout above ends when an answer begins.
      socketTimeout: timeouts.request,
      throwOnRequestTimeout: true,
    },
  });
  const asked = async <T>(address: StoreAddress, work: () => Promise<T>): Promise<T> => {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      throw s3Error(address, error);
    }
  };
  const options = { abortSignal: signal };
  return {
    look: (address) =>
      asked(address, async () => {
        const { bucket: Bucket, key: Key } = address;
        try {
          const { ETag, Metadata } = await client.send(new commands.HeadObjectCommand({ Bucket, Key }), options);
          if (ETag === undefined) throw notAStore(address);
          return { version: ETag, mark: markOf(Metadata) };
        } catch (error) {
          if (isMissing(error)) return undefined;
          throw error;
        }
      }),
    put: (address, { file, type, mark, version }) =>
      asked(address, async () => {
        const { bucket: Bucket, key: Key } = address;
        const object = { Bucket, Key, ContentType: type, CacheControl: 'no-cache', Metadata: metadataOf(mark) };
        const condition = version === undefined ? { IfNoneMatch: '*' } : { IfMatch: version };
        try {
          await uploadToS3({ client, commands, object, condition, file, signal, patience: timeouts.request });
          return 'in place';
        } catch (error) {
          if (isChanged(error)) return 'changed';
          throw error;
        }
      }),
    // An unfinished multipart upload is not an object.
    mayWrite: (address) =>
      asked(address, async () => {
        const { bucket: Bucket, key: Key } = address;
        const { UploadId } = await client.send(new commands.CreateMultipartUploadCommand({ Bucket, Key }), options);
        await client.send(new commands.AbortMultipartUploadCommand({ Bucket, Key, UploadId }), options);
      }),
    list: (prefix) =>
      asked(prefix, async () => {
        const found = new Set<string>();
        const pages = commands.paginateListObjectsV2({ client }, { Bucket: prefix.bucket, Prefix: prefix.key }, options);
        for await (const { Contents = [] } of pages) for (const { Key } of Contents) if (Key !== undefined) found.add(Key);
        return found;
      }),
  };
}
