import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseTableName, showTableName, sibling, suffixed } from '../../src/domain/table-name.ts';

it.each([
  ['scores', ['scores']],
  ['marketing.scores', ['marketing', 'scores']],
  ['db.marketing.scores', ['db', 'marketing', 'scores']],
  ['"odd.schema"."my table"', ['odd.schema', 'my table']],
  ['marketing."say ""hi"""', ['marketing', 'say "hi"']],
  ['"a;b".c', ['a;b', 'c']],
  ['my-project.umsätze', ['my-project', 'umsätze']],
])('parses %s as %j', (text, parts) => {
  expect(parseTableName(text)).toEqual(parts);
});

it.each([
  '',
  '.',
  'a.',
  '.a',
  'a..b',
  'a.b.c.d',
  'my table',
  'a.b ',
  ' a.b',
  'a.b;',
  'a;drop table b',
  '"a',
  'a"',
  '""',
  'a.""',
  '"a"b',
  'a"b"',
  'a\nb',
])('rejects %j', (text) => {
  expect(parseTableName(text)).toBeUndefined();
});

it('parses quoted parts back to any original text', () => {
  const part = fc.string({ minLength: 1, unit: fc.constantFrom('a', 'Z', '"', '.', ' ', ';', "'", '\n', 'ä', '💶') });
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 3 }), (parts) => {
      const quoted = parts.map((text) => `"${text.replaceAll('"', '""')}"`).join('.');
      expect(parseTableName(quoted)).toEqual(parts);
    }),
  );
});

it('names tables of the same schema', () => {
  const name = ['marketing', 'scores'];
  expect(showTableName(suffixed(name, '_quarantine'))).toBe('marketing.scores_quarantine');
  expect(showTableName(sibling(name, 'ledger'))).toBe('marketing.ledger');
});
