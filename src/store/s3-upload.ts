import { type FileHandle, open } from 'node:fs/promises';
import type { CompletedPart, PutObjectCommandInput, S3Client } from '@aws-sdk/client-s3';

export interface S3Upload {
  readonly client: S3Client;
  readonly commands: Pick<
    typeof import('@aws-sdk/client-s3'),
    | 'PutObjectCommand'
    | 'CreateMultipartUploadCommand'
    | 'UploadPartCommand'
    | 'CompleteMultipartUploadCommand'
    | 'AbortMultipartUploadCommand'
  >;
  readonly object: Pick<PutObjectCommandInput, 'Bucket' | 'Key' | 'ContentType' | 'CacheControl' | 'Metadata'>;
  /** Precondition for putting the object in place. */
  readonly condition: { readonly IfNoneMatch: string } | { readonly IfMatch: string };
  readonly file: string;
  readonly signal: AbortSignal;
  /** Milliseconds for aborting a failed upload. */
  readonly patience: number;
}

/** Bytes per part, of which one is in memory at a time. Smaller files are sent in one request. */
const PART = 8 * 2 ** 20;
/** Limit from https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MOST_PARTS = 10_000;
/** After a signal there is little time. */
const ABORT_MS = 5_000;

/**
 * Sends a file as one object, which appears whole or not at all: only the last request of a multipart upload creates it, and
 * that request has the condition.
 *
 * @throws the client's error; the parts sent are removed then, unless the store no longer answers
 */
export async function uploadToS3(upload: S3Upload): Promise<void> {
  const { client, commands, object, condition, file, signal } = upload;
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    if (size > PART) return await uploadParts(upload, handle, size);
    const Body = await piece(handle, 0, size);
    await client.send(new commands.PutObjectCommand({ ...object, ...condition, Body }), { abortSignal: signal });
  } finally {
    await handle.close();
  }
}

async function uploadParts(upload: S3Upload, handle: FileHandle, size: number): Promise<void> {
  const { client, commands, object, condition, signal, patience } = upload;
  const options = { abortSignal: signal };
  const { Bucket, Key } = object;
  const { UploadId } = await client.send(
    new commands.CreateMultipartUploadCommand({ ...object, ChecksumAlgorithm: 'CRC32' }),
    options,
  );
  const parts: CompletedPart[] = [];
  const bytes = Math.max(PART, Math.ceil(size / MOST_PARTS));
  try {
    for (let at = 0; at < size; at += bytes) {
      const PartNumber = parts.length + 1;
      const Body = await piece(handle, at, Math.min(bytes, size - at));
      const part = { Bucket, Key, UploadId, PartNumber, Body, ChecksumAlgorithm: 'CRC32' as const };
      const { ETag, ChecksumCRC32 } = await client.send(new commands.UploadPartCommand(part), options);
      parts.push({ PartNumber, ETag, ChecksumCRC32 });
    }
    const whole = { Bucket, Key, UploadId, MultipartUpload: { Parts: parts }, ...condition };
    await client.send(new commands.CompleteMultipartUploadCommand(whole), options);
  } catch (error) {
    // Report the first error. If this also fails, a lifecycle rule of the bucket removes the parts.
    const abortSignal = AbortSignal.timeout(Math.min(patience, ABORT_MS));
    await client
      .send(new commands.AbortMultipartUploadCommand({ Bucket, Key, UploadId }), { abortSignal })
      .catch(() => undefined);
    throw error;
  }
}

/** @throws Error if the file has become shorter */
async function piece(handle: FileHandle, at: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  for (let read = 0; read < length; ) {
    const { bytesRead } = await handle.read(buffer, read, length - read, at + read);
    if (bytesRead === 0) throw new Error('the file to upload has become shorter');
    read += bytesRead;
  }
  return buffer;
}
