import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import { ScoreBatchError } from '../../../src/errors.ts';
import { decode, Refusal } from '../../../src/warehouse/bigquery/answer.ts';
import { readFields, readJob, readPage } from '../../../src/warehouse/bigquery/shapes.ts';
import { ForeignAnswer } from '../../../src/warehouse/foreign-answer.ts';
import { type Answer, fakeGoogle } from './fake-google.ts';

// A server that answers as no BigQuery does: a captive portal, a proxy that cuts, a server that is ill. No emulator can.

const QUERY = { name: 'jobs/query.sql', texts: ['select true as ready'], parameters: [] };
const PORTAL = '<html>Please log in to the guest network, jo@example.com</html>';
const FIELDS = [{ name: 'ready', type: 'BOOLEAN', mode: 'NULLABLE' }];

async function portal(status: number, contentType: string, body: string): Promise<string> {
  const server = createServer((_, response) => response.writeHead(status, { 'content-type': contentType }).end(body));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it.each([
  ['HTML with 200', 200, 'text/html', PORTAL],
  ['HTML with 200 that says that it is JSON', 200, 'application/json', PORTAL],
  ['HTML with 404, which is not a missing table', 404, 'text/html', PORTAL],
  ['HTML with 403', 403, 'text/html', PORTAL],
  ['a redirect', 302, 'text/html', PORTAL],
  ['nothing', 200, 'application/json', ''],
  ['JSON that is cut', 200, 'application/json', '{"jobReference": {"jobId": "jo@exam'],
  ['a list', 200, 'application/json', '[]'],
  ['null', 200, 'application/json', 'null'],
  ['another object', 200, 'application/json', '{"hello": "jo@example.com"}'],
  ['an error of another shape', 200, 'application/json', '{"error": "jo@example.com"}'],
  ['errors that are null', 400, 'application/json', '{"error": {"errors": [null], "code": "x"}}'],
])('%s is not taken for a refusal of the query', async (_, status, contentType, body) => {
  const google = await fakeGoogle(() => undefined);
  const environment = { BIGQUERY_EMULATOR_HOST: await portal(status, contentType, body) };
  const warehouse = google.open({ environment }, { attempts: 2 });
  for (const ask of [() => warehouse.source.describe(QUERY), () => warehouse.sink.staged('run'), () => warehouse.reach()]) {
    const error: unknown = await ask().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ScoreBatchError);
    const { kind, message, details } = error as ScoreBatchError;
    expect(kind, message).toBe('unavailable');
    expect([message, ...details].join()).not.toContain('jo@');
  }
});

it('any answer at all is BigQuery’s body, its refusal, or nothing of it', () => {
  const json = fc.oneof(fc.json(), fc.string(), fc.constantFrom('', '{', '{"error":{}}', '{"error":{"errors":[null,1,{}]}}'));
  fc.assert(
    fc.property(fc.integer({ min: 200, max: 599 }), json, (status, text) => {
      try {
        const body = decode({ address: 'http://h/', status, headers: new Headers(), text });
        for (const read of [readJob, readPage, ({ fields }: { fields?: unknown }) => readFields(fields)]) {
          try {
            read(body);
          } catch (error) {
            expect(error).toBeInstanceOf(ForeignAnswer);
          }
        }
      } catch (error) {
        expect(error instanceof Refusal || error instanceof ForeignAnswer, String(error)).toBe(true);
      }
    }),
  );
});

/** A query that is described and runs, whose results are these pages. */
async function paged(page: (token: string | null, nth: number) => unknown) {
  let pages = 0;
  return await fakeGoogle(({ path, body, query }): Answer | undefined => {
    if (path === '/jobs' && body.configuration.dryRun) {
      return { body: { ...body, status: { state: 'DONE' }, statistics: { query: { schema: { fields: FIELDS } } } } };
    }
    if (!path.startsWith('/queries/')) return undefined;
    pages += 1;
    return { body: page(query.get('pageToken'), pages) };
  });
}

const ROW = { f: [{ v: 'true' }] };

it.each<[string, (token: string | null, nth: number) => unknown]>([
  ['repeat rows', (token) => ({ totalRows: '1', rows: [ROW], ...(token === null && { pageToken: 'more' }) })],
  ['lack rows', () => ({ totalRows: '2', rows: [ROW] })],
  ['have the same token for ever', () => ({ totalRows: '1000000', rows: [ROW], pageToken: 'more' })],
  ['have another token for ever, and no rows', (_, nth) => ({ totalRows: '1000000', rows: [], pageToken: `more${nth}` })],
  ['have another token for ever, and rows', (_, nth) => ({ totalRows: '3', rows: [ROW], pageToken: `more${nth}` })],
  ['do not say how many rows there are', () => ({ rows: [ROW] })],
  ['have a row of another shape', () => ({ totalRows: '1', rows: [null] })],
  ['have a row that is too short', () => ({ totalRows: '1', rows: [{ f: [] }], schema: { fields: FIELDS } })],
])('pages that %s are read anew, and given up', async (_, page) => {
  const google = await paged(page);
  await expect(google.open({}, { attempts: 2 }).source.ready(QUERY)).rejects.toMatchObject({
    kind: 'unavailable',
    message: 'something other than BigQuery answered a request',
  });
  expect(google.requests.length).toBeLessThan(30);
});

it('pages that lacked rows once are read anew', async () => {
  const google = await paged((_, nth) => ({ totalRows: '1', rows: nth === 1 ? [] : [ROW] }));
  expect(await google.open().source.ready(QUERY)).toBe(true);
});

it('a list of tables without an end ends', async () => {
  const google = await fakeGoogle(({ path }) =>
    path.endsWith('/tables') ? { body: { tables: [], nextPageToken: 'again' } } : undefined,
  );
  await expect(google.open().source.listArtifacts()).rejects.toMatchObject({ kind: 'unavailable' });
});

it('a job that always runs is given up, and says which one it is', async () => {
  const google = await fakeGoogle(({ path, body }) => {
    if (path === '/jobs' && body.configuration.dryRun) {
      return { body: { ...body, status: { state: 'DONE' }, statistics: { query: { schema: { fields: FIELDS } } } } };
    }
    if (!path.startsWith('/jobs')) return undefined;
    return { body: { jobReference: { jobId: body.jobReference?.jobId ?? path.slice(6) }, status: { state: 'RUNNING' } } };
  });
  await expect(google.open({}, { job: 200 }).source.ready(QUERY)).rejects.toMatchObject({
    kind: 'unavailable',
    message: expect.stringMatching(/^the job score_batch_\w+ is still running/),
  });
});
