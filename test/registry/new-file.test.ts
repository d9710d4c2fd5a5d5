import { expect, it } from 'vitest';
import { writing } from '../../src/registry/new-file.ts';

// A full disk needs one of its own to try, which takes rights that tests do not have: the error is made up.
it.each([
  ['ENOSPC', 'unavailable'],
  ['EDQUOT', 'unavailable'],
  ['EACCES', 'permission'],
  ['EROFS', 'permission'],
])('%s while a file is written is %s, and no word about the registry', async (code, kind) => {
  const failing = writing('model.onnx', () => Promise.reject(Object.assign(new Error(code), { code })));
  await expect(failing).rejects.toMatchObject({ kind, registryDown: false, message: `model.onnx cannot be written (${code})` });
});
