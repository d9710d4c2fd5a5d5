import { randomBytes } from 'node:crypto';
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { inject } from 'vitest';
import { S3_KEYS } from './servers.ts';

export type Scheme = 's3' | 'gs';

interface Found {
  readonly body: Buffer;
  readonly type: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
}

/** A new bucket of a server, as another program sees it. */
export interface Bucket {
  readonly name: string;
  /** `s3://name` */
  readonly url: string;
  /** What score-batch is told; `endpoint` may be that of a proxy. */
  environment(endpoint?: string): NodeJS.ProcessEnv;
  readonly endpoint: string;
  put(key: string, body: string): Promise<void>;
  get(key: string): Promise<Found | undefined>;
  keys(): Promise<string[]>;
  /** Uploads in parts that have begun and not ended; S3 only. */
  unfinished(): Promise<number>;
}

/** @throws Error if the servers do not run */
export async function newBucket(scheme: Scheme): Promise<Bucket> {
  const endpoint = inject('stores')?.[scheme];
  if (endpoint === undefined) throw new Error('no server');
  const name = `reports-${randomBytes(6).toString('hex')}`;
  return scheme === 's3' ? await s3Bucket(endpoint, name) : await gcsBucket(endpoint, name);
}

export function s3Client(endpoint: string): S3Client {
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
  const credentials = { accessKeyId: S3_KEYS.AWS_ACCESS_KEY_ID, secretAccessKey: S3_KEYS.AWS_SECRET_ACCESS_KEY };
  return new S3Client({ endpoint, region: S3_KEYS.AWS_REGION, forcePathStyle: true, credentials });
}

async function s3Bucket(endpoint: string, name: string): Promise<Bucket> {
  const client = s3Client(endpoint);
  await client.send(new CreateBucketCommand({ Bucket: name }));
  return {
    ...{ name, endpoint, url: `s3://${name}` },
    environment: (at = endpoint) => ({ AWS_ENDPOINT_URL: at, ...S3_KEYS }),
    put: async (Key, Body) => void (await client.send(new PutObjectCommand({ Bucket: name, Key, Body }))),
    async get(Key) {
      try {
        const { ContentType: type, Metadata: metadata = {} } = await client.send(new HeadObjectCommand({ Bucket: name, Key }));
        const { Body } = await client.send(new GetObjectCommand({ Bucket: name, Key }));
        return { body: Buffer.from((await Body?.transformToByteArray()) ?? []), type, metadata };
      } catch (error) {
        if ((error as Error).name === 'NotFound') return undefined;
        throw error;
      }
    },
    async keys() {
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: name }));
      return Contents.map(({ Key = '' }) => Key).sort();
    },
    async unfinished() {
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: name }));
      return Uploads.length;
    },
  };
}

async function gcsBucket(endpoint: string, name: string): Promise<Bucket> {
  const api = `${endpoint}/storage/v1/b`;
  const asked = async (url: string, init?: RequestInit) => {
    const answer = await fetch(url, init);
    if (!answer.ok && answer.status !== 404) throw new Error(`${url}: ${answer.status}`);
    return answer;
  };
  await asked(`${api}?project=test`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name }),
  });
  const object = (key: string) => `${api}/${name}/o/${encodeURIComponent(key)}`;
  return {
    ...{ name, endpoint, url: `gs://${name}` },
    environment: (at = endpoint) => ({ STORAGE_EMULATOR_HOST: at }),
    put: async (key, body) =>
      void (await asked(`${endpoint}/upload/storage/v1/b/${name}/o?uploadType=media&name=${encodeURIComponent(key)}`, {
        method: 'POST',
        body,
      })),
    async get(key) {
      const answer = await asked(object(key));
      if (answer.status === 404) return undefined;
      const { contentType: type, metadata = {} } = (await answer.json()) as Record<string, never>;
      const body = Buffer.from(await (await asked(`${object(key)}?alt=media`)).arrayBuffer());
      return { body, type, metadata };
    },
    async keys() {
      const { items = [] } = (await (await asked(`${api}/${name}/o`)).json()) as { items?: { name: string }[] };
      return items.map((item) => item.name).sort();
    },
    unfinished: async () => 0,
  };
}
