import { describe, expect, it } from 'vitest';
import { chooseMaxMemory } from '../../src/commands/options.ts';

describe('chooseMaxMemory', () => {
  it('prefers the flag to the environment', () => {
    expect(chooseMaxMemory({ maxMemory: 1e9 }, { SCORE_BATCH_MEMORY: '512MiB' })).toBe(1e9);
    expect(chooseMaxMemory({}, { SCORE_BATCH_MEMORY: '512MiB' })).toBe(512 * 2 ** 20);
  });

  it('is undefined if neither is set', () => {
    expect(chooseMaxMemory({}, {})).toBeUndefined();
    expect(chooseMaxMemory({}, { SCORE_BATCH_MEMORY: '' })).toBeUndefined();
  });

  it('refuses a variable that is not a size', () => {
    expect(() => chooseMaxMemory({}, { SCORE_BATCH_MEMORY: '500' })).toThrow(
      'SCORE_BATCH_MEMORY=500 is not a valid memory size',
    );
  });
});
