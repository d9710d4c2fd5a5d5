import { expect, it } from 'vitest';
import { lineageRunId } from '../../src/lineage/run-id.ts';
import { lineageSettings } from '../../src/lineage/settings.ts';
import { withoutSecrets } from '../../src/secrets.ts';

const RUN = '3f5e83fa-3480-44ff-99c5-ff943904e5e8';

it.each([
  ['http://host:5000', undefined, 'http://host:5000/api/v1/lineage'],
  ['https://host/base/', '/v2/lineage?x=1', 'https://host/base/v2/lineage?x=1'],
  [' https://host/base ', 'v2', 'https://host/base/v2'],
])('%s and the endpoint %s', (url, endpoint, expected) => {
  const settings = lineageSettings({ OPENLINEAGE_URL: url, OPENLINEAGE_ENDPOINT: endpoint });
  expect(settings).toMatchObject({ url: new URL(expected), namespace: 'default', authorization: undefined, warnings: [] });
});

it('takes the key as a bearer token, and neither key nor password into messages', () => {
  const environment = { OPENLINEAGE_URL: 'http://user:pass%40word@host', OPENLINEAGE_NAMESPACE: 'marketing' };
  const basic = lineageSettings(environment);
  expect(basic).toMatchObject({
    url: new URL('http://host/api/v1/lineage'),
    authorization: `Basic ${Buffer.from('user:pass@word').toString('base64')}`,
    namespace: 'marketing',
  });
  expect(lineageSettings({ ...environment, OPENLINEAGE_API_KEY: 'key-of-lineage' })).toMatchObject({
    authorization: 'Bearer key-of-lineage',
  });
  expect(withoutSecrets('key-of-lineage pass@word')).toBe('[secret] [secret]');
});

it.each([
  ['', undefined],
  ['not a url', 'OPENLINEAGE_URL is not an http or https URL'],
  ['ftp://host', 'OPENLINEAGE_URL is not an http or https URL'],
])('OPENLINEAGE_URL=%s', (url, expected) => {
  expect(lineageSettings({ OPENLINEAGE_URL: url })).toBe(expected);
});

it('can be switched off', () => {
  expect(lineageSettings({ OPENLINEAGE_URL: 'http://host', OPENLINEAGE_DISABLED: 'True' })).toBeUndefined();
});

it('reads the parent as Airflow writes it, whose namespace may be a URL', () => {
  const settings = lineageSettings({
    OPENLINEAGE_URL: 'http://host',
    OPENLINEAGE_PARENT_ID: `https://airflow/prod/weekly.score/${RUN}`,
    OPENLINEAGE_ROOT_PARENT_ID: `default/weekly/${RUN}`,
  });
  expect(settings).toMatchObject({
    parent: { namespace: 'https://airflow/prod', name: 'weekly.score', runId: RUN },
    root: { namespace: 'default', name: 'weekly', runId: RUN },
    warnings: [],
  });
});

it.each(['weekly', `weekly/${RUN}`, 'default/weekly/run-7'])('ignores the parent %s, and says so', (parent) => {
  const settings = lineageSettings({ OPENLINEAGE_URL: 'http://host', OPENLINEAGE_PARENT_ID: parent });
  expect(settings).toMatchObject({
    parent: undefined,
    warnings: ['OPENLINEAGE_PARENT_ID does not have the form namespace/name/run, with a UUID as run'],
  });
});

it('the UUID of a run is of version 5, and depends on job and run alone', () => {
  // As Python's uuid.uuid5 makes it.
  const id = lineageRunId('churn', '1997-W11-33f967ca9d91');
  expect(id).toBe('4a960fb0-f766-5b20-8a20-1521adab2678');
  expect(lineageRunId('churn', '1997-W11-33f967ca9d91')).toBe(id);
  expect(lineageRunId('churn.query', '1997-W11-33f967ca9d91')).not.toBe(id);
  expect(lineageRunId('churn', '1997-W12-33f967ca9d91')).not.toBe(id);
});
