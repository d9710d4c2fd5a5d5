import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { literal } from '../../../src/warehouse/snowflake/dialect.ts';
import { identifier, stored } from '../../../src/warehouse/snowflake/names.ts';
import { parseTarget } from '../../../src/warehouse/snowflake/target.ts';
import { hostileText, storableText } from '../../support/hostile-text.ts';
import { makeSubject, mayMake } from './subject.ts';

describe('a URL', () => {
  it('gives back the parts that it is made of, whatever they hold', () => {
    const part = hostileText.filter((text) => text !== '' && text !== '.' && text !== '..');
    fc.assert(
      fc.property(part, part, part, (database, schema, role) => {
        const [a, b, c] = [database, schema, role].map(encodeURIComponent);
        expect(parseTarget(`snowflake://org-account/${a}/${b}?role=${c}`)).toEqual({
          account: 'org-account',
          database,
          schema,
          role,
          warehouse: undefined,
          connection: undefined,
        });
      }),
      { numRuns: 1000 },
    );
  });

  it('that is none is refused, and never a bug', () => {
    const url = fc.tuple(hostileText, hostileText, hostileText).map(([a, b, c]) => `snowflake://org-account/${a}/${b}?${c}`);
    fc.assert(
      fc.property(
        fc.oneof(
          url,
          hostileText,
          hostileText.map((text) => `snowflake://${text}/d/s`),
        ),
        (text) => {
          try {
            const { account, database, schema } = parseTarget(text);
            expect([account, database, schema]).not.toContain('');
            // It becomes the name of a host.
            expect(account).not.toMatch(/[\s/?#@\\]/);
          } catch (error) {
            expect(error).toMatchObject({ kind: 'configuration' });
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

// Without an emulator (the last line of the output says why) or a real one that may be written to; see subject.ts.
describe.skipIf(!mayMake())('on Snowflake', () => {
  it('every literal is read as the text that was quoted', async () => {
    const { rows } = await makeSubject();
    await fc.assert(
      fc.asyncProperty(fc.array(storableText, { minLength: 1, maxLength: 100 }), async (list) => {
        const [row] = await rows(`select ${list.map((text, i) => `${literal(text)} as c${i}`).join(', ')}`);
        expect(Object.values(row ?? {})).toEqual(list);
      }),
      { numRuns: 20 },
    );
  });

  it('and every name as the name that was quoted', async () => {
    const { rows } = await makeSubject();
    const name = storableText.filter((text) => text !== '');
    const names = fc.uniqueArray(name, { minLength: 1, maxLength: 50, selector: (text) => text.toLowerCase() });
    await fc.assert(
      fc.asyncProperty(names, async (list) => {
        const columns = list.map((text, i) => `${i} as ${identifier(text)}`);
        const [row] = await rows(`select ${list.map(identifier).join(', ')} from (select ${columns.join(', ')}) t`);
        expect(Object.keys(row ?? {})).toEqual(list.map((text) => stored(text).toLowerCase()));
      }),
      { numRuns: 20 },
    );
  });
});
