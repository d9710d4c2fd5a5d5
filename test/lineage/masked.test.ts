import { expect, it } from 'vitest';
import type { RunEvent } from '../../src/lineage/facets.ts';
import { masked } from '../../src/lineage/masked.ts';
import { remoteFile } from '../../src/lineage/sources.ts';
import { registerSecret } from '../../src/secrets.ts';

it.each([
  ['https://ann:pa55@files.example/a/b.csv?X-Amz-Signature=abc#top', 'https://files.example', 'a/b.csv'],
  ['https://files.example?token=abc', 'https://files.example', ''],
  ['s3://bucket/a/part-?.parquet', 's3://bucket', 'a/part-?.parquet'],
  ['s3://key:pa55@bucket/a.parquet?s3_secret_access_key=abc', 's3://bucket', 'a.parquet'],
  ['gs://bucket/a/b.parquet', 'gs://bucket', 'a/b.parquet'],
])('names the remote file %s without what is secret', (file, namespace, name) => {
  expect(remoteFile(file)).toEqual({ namespace, name });
});

it('masks known secrets in every text, users and signatures of URLs in SQL, and nothing that identifies the event', () => {
  registerSecret('hush-hush');
  const sql = [
    `select 'a@b' as mail, 'hush-hush' as x from read_csv('https://ann:pa55@files.example/a.csv?a=1&X-Amz-Signature=abc&b=2')`,
    `join postgres_scan('postgres://ann:pa55@db/x', 'https://no.example/a@b')`,
  ].join(' ');
  const event = {
    ...{ eventType: 'START', producer: 'hush-hush', schemaURL: 'https://u@x' },
    run: { runId: 'hush-hush', facets: { f: { _producer: 'hush-hush', message: 'is hush-hush', n: 1, none: null } } },
    job: { namespace: 'n', name: 'of hush-hush', facets: { sql: { query: sql } } },
    inputs: [{ namespace: 's3://hush-hush', name: 'https://u@x', facets: {} }],
    outputs: [],
  } as unknown as RunEvent;
  expect(masked(event)).toEqual({
    ...event,
    run: { runId: 'hush-hush', facets: { f: { _producer: 'hush-hush', message: 'is [secret]', n: 1, none: null } } },
    job: {
      namespace: 'n',
      name: 'of [secret]',
      facets: {
        sql: {
          query: [
            `select 'a@b' as mail, '[secret]' as x from read_csv('https://[secret]@files.example/a.csv?a=1&X-Amz-Signature=[secret]&b=2')`,
            `join postgres_scan('postgres://[secret]@db/x', 'https://no.example/a@b')`,
          ].join(' '),
        },
      },
    },
    inputs: [{ namespace: 's3://[secret]', name: 'https://u@x', facets: {} }],
  });
});
