import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, inject, it } from 'vitest';
import { parseStoreAddress } from '../../src/domain/store-address.ts';
import { openGcs } from '../../src/store/gcs.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { openS3 } from '../../src/store/s3.ts';
import { readTimeouts } from '../../src/warehouse/timeouts.ts';
import { temporaryFolder } from '../support/project.ts';
import { newBucket, type Scheme, s3Client } from './bucket.ts';

// What every other test with these servers stands on: that they refuse a precondition that does not hold any more. Asked in the words of the
// protocol, without score-batch.
describe.skipIf(inject('stores') === undefined /* global-setup.ts says why */)('the server', () => {
  it('of S3 refuses a stale ETag in PutObject and in CompleteMultipartUpload, and any object that is there if there must be none', async () => {
    const { name: Bucket, endpoint } = await newBucket('s3');
    const client = s3Client(endpoint);
    const object = { Bucket, Key: 'a/b.csv' };
    const put = (condition: object) => client.send(new PutObjectCommand({ ...object, Body: randomBytes(8), ...condition }));
    const parts = async (condition: object) => {
      const { UploadId } = await client.send(new CreateMultipartUploadCommand(object));
      const part = { ...object, UploadId, PartNumber: 1, Body: randomBytes(8) };
      const { ETag } = await client.send(new UploadPartCommand(part));
      const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
      try {
        return await client.send(new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload, ...condition }));
      } catch (error) {
        await client.send(new AbortMultipartUploadCommand({ ...object, UploadId }));
        throw error;
      }
    };
    const { ETag: first } = await put({ IfNoneMatch: '*' });
    const { ETag: second } = await put({ IfMatch: first });
    const refused = { name: 'PreconditionFailed', $metadata: { httpStatusCode: 412 } };
    for (const send of [put, parts])
      for (const condition of [{ IfNoneMatch: '*' }, { IfMatch: first }])
        await expect(send(condition)).rejects.toMatchObject(refused);
    expect((await client.send(new HeadObjectCommand(object))).ETag).toBe(second);
    const { ETag: third } = await parts({ IfMatch: second });
    expect((await client.send(new HeadObjectCommand(object))).ETag).toBe(third);
    await expect(put({ IfMatch: second })).rejects.toMatchObject(refused);
  });

  it('of Google refuses a stale generation, at once and at the end of an upload in pieces', async () => {
    const { name, endpoint, put, get } = await newBucket('gs');
    const upload = `${endpoint}/upload/storage/v1/b/${name}/o?name=b.csv`;
    const send = (generation: string) =>
      fetch(`${upload}&uploadType=media&ifGenerationMatch=${generation}`, { method: 'POST', body: 'media' });
    const generation = async () =>
      ((await (await fetch(`${endpoint}/storage/v1/b/${name}/o/b.csv`)).json()) as { generation: string }).generation;
    expect((await send('0')).status).toBe(200);
    expect((await send('0')).status).toBe(412);
    const first = await generation();
    expect((await send(first)).status).toBe(200);
    expect((await send(first)).status).toBe(412);
    const now = await generation();
    const begin = () => fetch(`${upload}&uploadType=resumable&ifGenerationMatch=${now}`, { method: 'POST', body: '{}' });
    const session = (await begin()).headers.get('location') ?? '';
    await put('b.csv', 'changed');
    const ended = await fetch(session, { method: 'PUT', body: 'pieces' });
    expect({ status: ended.status, body: (await get('b.csv'))?.body.toString() }).toEqual({ status: 412, body: 'changed' });
  });
});

// Without the servers, of which global-setup.ts says why they are not there.
describe.skipIf(inject('stores') === undefined).each(['s3', 'gs'] as const)('score-batch over %s', (scheme) => {
  const mark = { job: 'churn', runId: '1997-W11-000000000001', publication: 1, erasures: 0 };

  /** @param bytes beyond 8 MiB, a file is sent in parts */
  async function place(bytes: number) {
    const bucket = await newBucket(scheme);
    const file = path.join(await temporaryFolder(), 'report');
    await writeFile(file, randomBytes(bytes));
    const address = parseStoreAddress(`${bucket.url}/weekly/churn größe +1.csv`);
    if (address === undefined) throw new Error('no address');
    return { bucket, address, upload: { file, type: 'text/csv', mark } };
  }

  it.each([100, 9_000_000])('puts %i bytes in place of what was found, and of nothing else', async (bytes) => {
    const { bucket, address, upload } = await place(bytes);
    const store = await openStore(scheme, bucket.environment());
    await store.mayWrite(address);
    expect([await store.look(address), await bucket.keys(), await bucket.unfinished()]).toEqual([undefined, [], 0]);
    expect(await store.put(address, { ...upload, version: undefined })).toBe('in place');
    const first = await store.look(address);
    expect(first?.mark).toEqual(mark);
    expect(await store.put(address, { ...upload, version: undefined })).toBe('changed');
    await bucket.put(address.key, 'of another writer');
    expect(await store.put(address, { ...upload, version: first?.version })).toBe('changed');
    expect((await bucket.get(address.key))?.body.toString()).toBe('of another writer');
    const now = await store.look(address);
    expect(now?.mark).toBeUndefined();
    expect(await store.put(address, { ...upload, version: now?.version })).toBe('in place');
    expect([(await bucket.get(address.key))?.body.length, await bucket.keys()]).toEqual([bytes, [address.key]]);
    expect([...(await store.list({ ...address, key: 'weekly/' })), await bucket.unfinished()]).toEqual([address.key, 0]);
  });
});

async function openStore(scheme: Scheme, environment: NodeJS.ProcessEnv): Promise<ObjectStore> {
  for (const [name, value] of Object.entries(environment)) process.env[name] = value;
  const opening = { environment, signal: new AbortController().signal, timeouts: readTimeouts({}) };
  return scheme === 's3' ? await openS3(opening) : await openGcs(opening);
}
