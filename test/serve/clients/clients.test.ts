import { expect, it } from 'vitest';
import { virtualEnvironment } from '../../emulators/virtual-environment.ts';

it('makes', async () => {
  expect(await virtualEnvironment('clients', import.meta.dirname)).toBe('');
});
