import { expect, it } from 'vitest';
import { simulate } from './simulate.ts';

it('scores every event exactly once', async () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const r = await simulate(seed);
    process.stderr.write(`${seed} ${JSON.stringify({ ...r, problems: r.problems.slice(0, 3) })}\n`);
  }
});
