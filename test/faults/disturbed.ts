import { onTestFinished } from 'vitest';
import type { WarehouseKind } from '../../src/domain/warehouse-kind.ts';
import { type Published, runUninterrupted } from '../crash/aftermath.ts';
import { type CrashProject, crashProject } from '../crash/project.ts';
import { type Fate, startBreakingProxy } from '../support/breaking-proxy.ts';
import { type FaultProxy, type Plan, startFaultProxy } from '../support/fault-proxy.ts';
import { type Outcome, type Running, startScoreBatch } from '../support/score-batch.ts';

export type Remote = Exclude<WarehouseKind, 'duckdb'>;

const COMMAND = ['--week', '--json', '--workers', '1'];

/** Seconds that a request may take: what falls silent is to be found out soon, and emulators may be slow. */
const REQUEST_SECONDS = 3;

/** For tests that wait for several time-outs, on a machine that may be busy. */
export const PATIENT = { timeout: 600_000 };

/** The variable that says where a warehouse is asked. */
const ADDRESS = { bigquery: 'BIGQUERY_EMULATOR_HOST', snowflake: 'SNOWFLAKE_ACCESS_URL' } as const;

/** A project whose runs go through proxies; the tests' own look at what is published goes past them. */
export interface Disturbed extends CrashProject {
  readonly proxy: FaultProxy;
  /** Connections to the Storage API that were broken. */
  readonly broken: () => number;
  /** Starts the cron line, with further flags. */
  start(...flags: string[]): Running;
  /** Ends the proxies, as the end of the test does. */
  close(): void;
}

/** A fresh project behind proxies. @param fate of connections to BigQuery's Storage API, which speaks gRPC */
export async function disturbed(kind: Remote, plan: Plan, fate: Fate = () => undefined): Promise<Disturbed> {
  const project = await crashProject(kind);
  const { environment } = project;
  const proxy = await startFaultProxy(environment[ADDRESS[kind]] ?? '', plan, REQUEST_SECONDS * 1500);
  const storage = await startBreakingProxy(environment.BIGQUERY_STORAGE_EMULATOR_HOST ?? '', fate);
  const close = () => {
    proxy.close();
    storage.close();
  };
  onTestFinished(close);
  const behind = {
    ...environment,
    SCORE_BATCH_REQUEST_SECONDS: String(REQUEST_SECONDS),
    [ADDRESS[kind]]: proxy.url,
    BIGQUERY_STORAGE_EMULATOR_HOST: storage.host,
  };
  return {
    ...project,
    environment: behind,
    proxy,
    broken: storage.broken,
    start: (...flags) => startScoreBatch(project.folder, [...COMMAND, ...flags], behind),
    close,
  };
}

/** Exit codes after which a scheduler starts the same command again. */
const RETRIED = [69, 75];

/** Starts the cron line until it ends well, as a scheduler does. @throws Error where it ends otherwise, or never well */
export async function untilPublished({ start }: Pick<Disturbed, 'start'>, most = 10): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (;;) {
    const outcome = await start().ended;
    outcomes.push(outcome);
    if (outcome.code === 0) return outcomes;
    if (!RETRIED.includes(outcome.code ?? -1))
      throw new Error(`it ended with ${outcome.code ?? outcome.signal}: ${outcome.stderr}`);
    if (outcomes.length === most) throw new Error(`${most} runs, and none ended well: ${outcome.stderr}`);
  }
}

const uninterrupted = new Map<Remote, Promise<Published>>();

/** What a run leaves that nothing disturbs. */
export function expectedOf(kind: Remote): Promise<Published> {
  const known = uninterrupted.get(kind) ?? runUninterrupted(kind).then(({ published }) => published);
  uninterrupted.set(kind, known);
  return known;
}
