import { expect } from 'vitest';
import { query } from './project.ts';
import { warehouseOf } from './published.ts';
import { type Outcome, scoreBatch } from './score-batch.ts';

/** A run that gates refused, as its message describes it. */
export interface RefusedRun {
  readonly runId: string;
  readonly gates: readonly string[];
  /** Arguments of the command that the hint shows, with a reason. */
  readonly command: readonly string[];
  /** The queries that the hint shows. */
  readonly looks: readonly { readonly gate: string; readonly warehouse: string; readonly sql: string }[];
}

export const REASON = 'a public holiday';

/** Reads the hint of a refusal. */
export function refusedRun({ code, stderr }: Pick<Outcome, 'code' | 'stderr'>): RefusedRun {
  expect(code, stderr).toBe(65);
  const shown =
    /^ {2}or check the rows and publish them by .*: score-batch (publish .*) --reason "…"$/m.exec(stderr)?.[1] ?? '';
  const [, runId = '', gates = ''] = /--run (\S+).* --accept (\S+)/.exec(shown) ?? [];
  expect(runId, stderr).not.toBe('');
  const looks = [...stderr.matchAll(/^ {2}look at (\w+) in (\S+): ((?:.*\n)*?)(?= {2}(?:look|or) |hint|$(?!\n))/gm)];
  return {
    runId,
    gates: gates.split(','),
    command: [...shown.split(' '), '--reason', REASON],
    looks: looks.map(([, gate = '', warehouse = '', sql = '']) => ({ gate, warehouse, sql: sql.trim() })),
  };
}

/** Accepts a refused run with the command of its hint. */
export function accept(folder: string, { command }: RefusedRun, environment: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  return scoreBatch(folder, command, environment);
}

/** Runs the queries of a hint on the project's DuckDB. @returns the rows of each, by gate */
export async function look(folder: string, { looks }: RefusedRun): Promise<Record<string, Record<string, unknown>[]>> {
  const rows: Record<string, Record<string, unknown>[]> = {};
  for (const { gate, sql } of looks) rows[gate] = await query(warehouseOf(folder), sql);
  return rows;
}
