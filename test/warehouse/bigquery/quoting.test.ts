import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BIGQUERY } from '../../../src/warehouse/bigquery/dialect.ts';
import { parseDataset } from '../../../src/warehouse/bigquery/names.ts';
import { parseUrl } from '../../../src/warehouse/bigquery/url.ts';
import { hostileText, storableText } from '../../support/hostile-text.ts';
import { environment, MAY_WRITE, makeSubject, REAL } from './subject.ts';

describe('a URL', () => {
  it('gives back the parts that it is made of', () => {
    const project = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}(\.com:[a-z0-9-]{1,9})?$/);
    const dataset = fc.stringMatching(/^\w{1,30}$/);
    const location = fc.option(fc.constantFrom('EU', 'US', 'europe-west1'), { nil: undefined });
    fc.assert(
      fc.property(project, dataset, location, (inProject, name, where) => {
        const url = `bigquery://${inProject}/${name}${where === undefined ? '' : `?location=${where}`}`;
        expect(parseUrl(url)).toEqual({ project: inProject, dataset: name, location: where });
      }),
    );
  });

  it('is refused, or its parts hold nothing that means something in SQL or in a request', () => {
    const url = fc
      .tuple(fc.constantFrom('my-project', ''), hostileText, fc.constantFrom('/', ''), hostileText, hostileText)
      .map(([project, a, slash, b, c]) => `bigquery://${project}${a}${slash}${b}${c === '' ? '' : `?location=${c}`}`);
    fc.assert(
      fc.property(fc.oneof(url, hostileText), (text) => {
        const parsed = () => parseUrl(text);
        try {
          const { project, dataset, location = '' } = parsed();
          expect([project, dataset, location].join(' ')).toMatch(/^[\w.:-]+ \w+ [\w-]*$/);
        } catch (error) {
          expect(error).toMatchObject({ kind: 'configuration' });
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('and so is the scratch dataset', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        try {
          const { project, dataset } = parseDataset(text, 'mine');
          expect(`${project} ${dataset}`).toMatch(/^[\w.:-]+ \w+$/);
        } catch (error) {
          expect(error).toMatchObject({ kind: 'configuration' });
        }
      }),
      { numRuns: 2000 },
    );
  });
});

// Without an emulator (the last line of the output says why) or a real one that may be written to; see subject.ts.
describe.skipIf(environment() === undefined || (REAL !== undefined && !MAY_WRITE))('on BigQuery', () => {
  it('every literal is read as the text that was quoted', async () => {
    const { rows } = await makeSubject();
    const texts = fc.array(storableText, { minLength: 1, maxLength: 100 });
    await fc.assert(
      fc.asyncProperty(texts, async (list) => {
        const [row] = await rows(`select ${list.map((text, i) => `${BIGQUERY.literal(text)} as c${i}`).join(', ')}`);
        expect(Object.values(row ?? {})).toEqual(list);
      }),
      { numRuns: 20 },
    );
  });
});
