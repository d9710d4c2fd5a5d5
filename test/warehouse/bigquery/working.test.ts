import { expect, it } from 'vitest';
import { fakeGoogle } from './fake-google.ts';

const QUERY = { name: 'jobs/query.sql', texts: ['select true as ready'], parameters: [] };
const FIELDS = [{ name: 'ready', type: 'BOOLEAN', mode: 'NULLABLE' }];

it('tells the id of a job while it runs, and when it has ended', async () => {
  const events: string[] = [];
  const google = await fakeGoogle(({ path, body }) => {
    if (path === '/jobs' && body.configuration.dryRun)
      return { body: { ...body, status: { state: 'DONE' }, statistics: { query: { schema: { fields: FIELDS } } } } };
    if (path.startsWith('/queries/')) return { body: { jobComplete: true, totalRows: '1', rows: [{ f: [{ v: 'true' }] }] } };
    if (path === '/jobs') return { body: { ...body, status: { state: 'RUNNING' } } };
    if (!path.startsWith('/jobs/')) return undefined;
    events.push('asked');
    const jobReference = { projectId: 'project', jobId: path.slice('/jobs/'.length), location: 'EU' };
    return { body: { jobReference, status: { state: 'DONE' } } };
  });
  const working = (kind: string, id: () => string | undefined) => {
    events.push(`${kind} ${id()}`);
    return () => void events.push('ended');
  };
  expect(await google.open({ working }).source.ready(QUERY)).toBe(true);
  const [sent] = google.sent();
  expect(events).toEqual([`job ${sent?.body.jobReference.jobId}`, 'asked', 'ended']);
});
