import { describe, expect, it } from 'vitest';
import { expectOncePublished, publishedIn } from '../crash/aftermath.ts';
import { missing } from '../crash/project.ts';
import { FAULT_KINDS, faultAt } from '../support/fault-proxy.ts';
import { sampled } from '../support/sample.ts';
import { disturbed, expectedOf, PATIENT, type Remote, untilPublished } from './disturbed.ts';

// Each fault once in each kind of request that a run sends, all in one run and those that follow it. A run may survive it, or
// end with what a scheduler retries; in the end the window is published once, as an uninterrupted run publishes it.

const REQUESTS: Readonly<Record<Remote, Readonly<Record<string, RegExp>>>> = {
  bigquery: {
    plan: /"dryRun":\s*true/,
    begin: /BEGIN TRANSACTION.*INSERT INTO.*score_batch_ledger.*'started'/s,
    freeze: /CREATE TABLE.*score_batch_frozen/s,
    lookup: /^GET \S*\/jobs\/score_batch_stage/,
    stage: /^POST \/upload/,
    result: /^GET \S*\/queries\//,
    reconcile: /SELECT.*score_batch_staged.*GROUP BY chunk/s,
    rank: /score_batch_ranked.*AS/s,
    publish: /BEGIN TRANSACTION.*INSERT INTO.*scores/s,
    completed: /BEGIN TRANSACTION.*INSERT INTO.*score_batch_ledger.*'completed'/s,
    'clean-up': /^DELETE /,
  },
  snowflake: {
    login: /login-request/,
    plan: /"describeOnly":\s*true/,
    begin: /INSERT INTO.*SCORE_BATCH_LEDGER.*'started'/s,
    freeze: /CREATE TRANSIENT TABLE.*SCORE_BATCH_FROZEN/,
    read: /SCORE_BATCH_FROZEN.*WHERE score_batch_bucket/,
    stage: /"sqlText":\s*"PUT /i,
    load: /COPY INTO/,
    lock: /UPDATE.*SCORE_BATCH_LOCK/,
    publish: /INSERT INTO[^(]*\.\\?"SCORES/,
    commit: /"sqlText":\s*"COMMIT/i,
    completed: /INSERT INTO.*SCORE_BATCH_LEDGER.*'completed'/s,
    'clean-up': /DROP TABLE/,
  },
};

/** Tries every kind of fault; see above. */
export function faultMatrix(kind: Remote): void {
  // Without an emulator; the last line of the output says why there is none.
  describe.skipIf(missing[kind])(`each kind of request to ${kind} once`, () => {
    it.each(sampled(FAULT_KINDS, (fault) => `${kind} ${fault}`))('%s', PATIENT, async (fault) => {
      const classes = Object.entries(REQUESTS[kind]);
      const plans = classes.map(([name, when]) => ({ name, plan: faultAt(fault, when) }));
      const hit = new Set<string>();
      const project = await disturbed(kind, (text) => {
        const first = plans.find(({ plan }) => plan(text) !== undefined);
        if (first) hit.add(first.name);
        return first && fault;
      });
      await untilPublished(project);
      expect([...hit].sort()).toEqual(classes.map(([name]) => name).sort());
      expect(await publishedIn(project)).toEqual(await expectedOf(kind));
      expect(await expectOncePublished(project, fault)).toHaveLength(1);
    });
  });
}
