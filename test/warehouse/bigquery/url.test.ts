import { expect, it } from 'vitest';
import { parseDataset } from '../../../src/warehouse/bigquery/names.ts';
import { parseUrl } from '../../../src/warehouse/bigquery/url.ts';

it.each([
  ['bigquery://my-project/sales', { project: 'my-project', dataset: 'sales', location: undefined }],
  ['bigquery://my-project/sales?location=EU', { project: 'my-project', dataset: 'sales', location: 'EU' }],
  [
    'bigquery://example.com:my-project/sales/?location=europe-west1',
    { project: 'example.com:my-project', dataset: 'sales', location: 'europe-west1' },
  ],
])('%s names a project, a dataset and where it is', (url, expected) => {
  expect(parseUrl(url)).toEqual(expected);
});

it.each([
  ['bigquery://my-project', 'bigquery://project/dataset'],
  ['bigquery:my-project/sales', 'bigquery://project/dataset'],
  ['bigquery://my-project/sales/orders', 'bigquery://project/dataset'],
  ['bigquery://my-project/sa les', 'bigquery://project/dataset'],
  ['bigquery://my-project/sales?locaton=EU', 'did you mean location?'],
  ['bigquery://my-project/sales?location=', 'bigquery://project/dataset'],
])('%s is refused with what to write instead', (url, hint) => {
  expect(() => parseUrl(url)).toThrow(expect.objectContaining({ kind: 'configuration', hint: expect.stringContaining(hint) }));
});

it('scratch is a dataset of the project, or of another one', () => {
  expect(parseDataset('scratch', 'mine')).toEqual({ project: 'mine', dataset: 'scratch' });
  expect(parseDataset('other-project.scratch', 'mine')).toEqual({ project: 'other-project', dataset: 'scratch' });
  expect(parseDataset('example.com:project.scratch', 'mine')).toEqual({ project: 'example.com:project', dataset: 'scratch' });
  for (const text of ['scratch-1', 'a.b.c.d', 'a.b.c', '.scratch', 'a.', '']) {
    expect(() => parseDataset(text, 'mine'), text).toThrow(expect.objectContaining({ kind: 'configuration' }));
  }
});
