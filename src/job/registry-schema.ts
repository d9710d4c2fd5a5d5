import { z } from 'zod';

export const registry = z.strictObject({
  when_down: z
    .enum(['fail', 'pinned'])
    .default('fail')
    .describe(
      'if the registry cannot be reached: end with exit code 69, or score with the version that the ledger last pinned',
    ),
});
