import { expect, it } from 'vitest';
import { withKeys } from '../../src/yaml/edit.ts';

it('sets keys and leaves the rest as it was written, long lines and comments included', () => {
  const long = 'a description that is much longer than eighty characters, and stays on the one line that it was written on';
  const text = `# who to ask\nname: churn # the model\nversion: "1.10"\ndescription: ${long}\ninputs:\n  - { name: x, range: [ 0, 1 ] }\n`;
  expect(withKeys(text, { version: '1.10+tensors', origin: { by: 'a test' } })).toBe(
    `${text.replace('"1.10"', '1.10+tensors')}origin: { by: a test }\n`,
  );
  // What would be read as a number stays text.
  expect(withKeys('version: "1"\n', { version: '2' })).toBe('version: "2"\n');
  expect(() => withKeys('- no map', {})).toThrow(TypeError);
});
