import { describe, expect, it } from 'vitest';
import { publishedIn } from '../crash/aftermath.ts';
import { missing } from '../crash/project.ts';
import type { Plan } from '../support/fault-proxy.ts';
import { disturbed, expectedOf, PATIENT, type Remote, untilPublished } from './disturbed.ts';

// Warehouses that do not come back while the command runs.

/** Requests that are as often sent again as the budget allows; a login is made anew a few times whatever else happens. */
const BUDGETED: Readonly<Record<Remote, RegExp>> = { bigquery: /./, snowflake: /^POST \/queries\/v1\/query-request/ };

/** The first chunk's way to staging. */
const STAGING: Readonly<Record<Remote, RegExp>> = { bigquery: /^POST \/upload/, snowflake: /"sqlText":\s*"PUT /i };

/** Every request falls silent from the first chunk's staging on. @returns the plan, and what settles when it begins */
function dying(kind: Remote): { plan: Plan; dead: Promise<void> } {
  let isDead = false;
  let die: () => void = () => undefined;
  const dead = new Promise<void>((resolve) => {
    die = resolve;
  });
  const plan: Plan = (text) => {
    if (STAGING[kind].test(text)) {
      isDead = true;
      die();
    }
    return isDead ? 'half-open' : undefined;
  };
  return { plan, dead };
}

// Without an emulator; the last line of the output says why there is none.
describe.each((['bigquery', 'snowflake'] as const).filter((kind) => !missing[kind]))('%s', (kind) => {
  it('that always answers 503 is asked a few times, and that is all', PATIENT, async () => {
    const { start, proxy } = await disturbed(kind, () => '503');
    const { code, stderr } = await start().ended;
    expect(stderr).toMatch(/^error: .*(\n {2}.*)+\nhint: .*run the same command again/m);
    expect(code).toBe(69);
    expect(proxy.requests.length).toBeGreaterThan(1);
    expect(proxy.requests.length).toBeLessThanOrEqual(6);
  });

  it('that fails three times of four is left alone when the budget is spent', PATIENT, async () => {
    const asked = new Map<string, number>();
    const { start, proxy } = await disturbed(kind, (text) => {
      if (!BUDGETED[kind].test(text)) return undefined;
      // BigQuery is asked several things at once: if one count were of them all, all attempts of one could be among those that fail.
      const request = kind === 'bigquery' ? text : kind;
      const times = (asked.get(request) ?? 0) + 1;
      asked.set(request, times);
      return times % 4 === 0 ? undefined : '503';
    });
    const { code, stderr } = await start().ended;
    expect(stderr).toMatch(/error: too many requests to \w+ failed: giving up/);
    expect(code).toBe(69);
    // 50 tokens and what a quarter of the answers gives back, in the plan; as much again to tell the ledger of it.
    expect(proxy.injected.get('503')).toBeLessThanOrEqual(2 * 60);
  });

  it('that falls silent ends with 69 at the deadline, and the next run resumes', PATIENT, async () => {
    const { plan } = dying(kind);
    let disturb: Plan = plan;
    const project = await disturbed(kind, (text) => disturb(text));
    const { code, stderr } = await project.start('--timeout', '15s').ended;
    expect(stderr).toMatch(/error: ended by --timeout 15s\n {2}job .*\nhint: allow more time/);
    expect(code).toBe(69);
    disturb = () => undefined;
    expect(await untilPublished(project)).toHaveLength(1);
    expect(await publishedIn(project)).toEqual(await expectedOf(kind));
  });

  it('that falls silent does not keep a process that is told to end', PATIENT, async () => {
    const { plan, dead } = dying(kind);
    const { start } = await disturbed(kind, plan);
    const running = start();
    await dead;
    running.process.kill('SIGTERM');
    const { code, stderr } = await running.ended;
    expect(stderr).toContain('ended by SIGTERM; run the same command again to resume');
    expect(code).toBe(143);
  });

  it('that never answers the first request does not keep a process that is told to end', PATIENT, async () => {
    let reach: () => void = () => undefined;
    const reached = new Promise<void>((resolve) => {
      reach = resolve;
    });
    const { start } = await disturbed(kind, () => {
      reach();
      return 'half-open';
    });
    const running = start();
    await reached;
    running.process.kill('SIGTERM');
    const { code, stderr } = await running.ended;
    expect(code, stderr).toBe(143);
  });
});
