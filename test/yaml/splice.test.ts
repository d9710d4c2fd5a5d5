import { expect, it } from 'vitest';
import { spliced } from '../../src/yaml/splice.ts';

const TEXT = `# Monday's job
name:   churn          # odd spaces stay
model: "models/churn"  # the champion
features:
    a:  colA   # renamed
    b: colB
score: {bands: {high: top 10%}}
# the next one
challenger:
  model: models/churn-2 # since October
  # four weeks
  promote_after: 4
  # table: x
# about the sink
sink: {table: a.b}
`;

it('changes values and removes keys with what belongs to them, and leaves every other byte', () => {
  const edited = spliced(TEXT, { set: { model: 'models/churn-2' }, remove: [['challenger'], ['features', 'a']] });
  expect(edited).toBe(`# Monday's job
name:   churn          # odd spaces stay
model: models/churn-2  # the champion
features:
    b: colB
score: {bands: {high: top 10%}}
# the next one
# about the sink
sink: {table: a.b}
`);
});

it('removes a key at the end of a text without a newline, and quotes what would not be text', () => {
  expect(spliced('model: x\nchallenger: { model: y }', { set: { model: '2026' }, remove: [['challenger']] })).toBe(
    'model: "2026"\n',
  );
});

it('keeps a long path with spaces on one line', () => {
  const long = `models/${'a long name '.repeat(12)}end`;
  expect(spliced('model: x # now\nevery: week\n', { set: { model: long }, remove: [] })).toBe(
    `model: ${long} # now\nevery: week\n`,
  );
});

it.each([
  ['a map in braces', '{ model: x, challenger: { model: y } }'],
  ['a value by reference', 'model: &m x\nchallenger: { model: y }\n'],
  ['a text below |', 'model: |\n  x\nchallenger: { model: y }\n'],
  ['a text below > in what is removed', 'model: x\nchallenger:\n  model: >-\n    y\nevery: week\n'],
  ['a key that is not there', 'model: x\n'],
])('gives up on %s', (_, text) => {
  expect(spliced(text, { set: { model: 'z' }, remove: [['challenger']] })).toBeUndefined();
});
