import { createHash } from 'node:crypto';

// Matrices of kills and faults have hundreds of cases, each a process or more. `npm run test:faults` tries all of them. With
//
//   SCORE_BATCH_TEST_SAMPLE=SEED/N
//
// each matrix tries one in N of its cases, at least one, chosen by the seed: .ci/run gives the commit, so that the choice changes with every
// change, and the same commit tries the same cases again.

/** The cases of a matrix to try, in their order. @param name tells a case from the others */
export function sampled<Case>(cases: readonly Case[], name: (one: Case) => string): readonly Case[] {
  const { SCORE_BATCH_TEST_SAMPLE: given } = process.env;
  if (given === undefined || given === '') return cases;
  const [, seed = '', n = ''] = /^(\S+)\/([1-9]\d*)$/.exec(given) ?? [];
  if (seed === '') throw new Error(`SCORE_BATCH_TEST_SAMPLE=${given} is not SEED/N`);
  const drawn = cases
    .map((one) => ({
      one,
      ticket: createHash('sha256')
        .update(`${seed} ${name(one)}`)
        .digest('hex'),
    }))
    .sort((a, b) => (a.ticket < b.ticket ? -1 : 1));
  const chosen = new Set(drawn.slice(0, Math.ceil(cases.length / Number(n))).map(({ one }) => one));
  return cases.filter((one) => chosen.has(one));
}
