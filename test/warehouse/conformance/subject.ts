import { onTestFinished } from 'vitest';
import type { Column } from '../../../src/domain/schema.ts';
import type { TableName } from '../../../src/domain/table-name.ts';
import type { Warehouse } from '../../../src/warehouse/warehouse.ts';

/** Makes a warehouse of its own for one test. */
export type MakeSubject = () => Promise<Subject>;

/** A warehouse, and how its dialect says what the tests need. */
export interface Subject {
  /** Opens the warehouse as one more process would, for a job; it is closed when the test ends. */
  open(options?: OpenOptions): Warehouse;
  /** Runs a statement of the dialect, as somebody else who uses the warehouse would. */
  execute(sql: string): Promise<void>;
  /** Rows of the dialect's SQL; counts as text. */
  rows(sql: string): Promise<Record<string, unknown>[]>;
  table(name: TableName): string;
  quote(name: string): string;
  literal(text: string): string;
  /** Writes to the frozen table of the run `run` over `users`: a row more, or another value of `a`. */
  alterFrozen(how: Alteration): Promise<void>;
  /** Writes to what was staged for the run `run` and has been counted: a row more. */
  alterStaged(): Promise<void>;
  /** Names with as many special characters as the warehouse lets a table and a column have. */
  readonly odd: { readonly table: string; readonly column: string };
  /** A type that is `integer` for `describe`. */
  readonly integerType: string;
  readonly stringType: string;
  /** Expression of integers from 0 to n − 1, usable after FROM, with a column `i`. */
  range(n: number): string;
  /** One column per kind of value that the warehouse has, as in `describe`, with two values as text; null is a third one. */
  readonly kinds: readonly Kind[];
}

type Alteration = 'a row more' | 'another value';

export interface Kind {
  readonly column: Column;
  /** Expressions of the dialect. */
  readonly expressions: readonly [string, string];
  /** As DuckDB, which renders what is published, writes them. */
  readonly values: readonly [string, string];
}

interface OpenOptions {
  readonly job?: string;
  /** Ends the warehouse's statements. */
  readonly signal?: AbortSignal;
}

export const JOB = 'conformance';

/** A subject with its warehouse opened once. */
export interface OpenSubject extends Subject {
  readonly warehouse: Warehouse;
}

export async function openSubject(makeSubject: MakeSubject): Promise<OpenSubject> {
  const subject = await makeSubject();
  const open = (options: OpenOptions = {}): Warehouse => {
    const warehouse = subject.open({ job: JOB, ...options });
    onTestFinished(() => warehouse.close());
    return warehouse;
  };
  return { ...subject, open, warehouse: open() };
}

/** A subject with a table `users(user_id, country, a, b)`, whose ids count up from 0; countries are C0 and C1. */
export async function withUsers(makeSubject: MakeSubject, rows: number): Promise<OpenSubject> {
  const subject = await openSubject(makeSubject);
  const { execute, integerType, stringType, range } = subject;
  await execute(`create table users (user_id ${integerType}, country ${stringType}, a ${integerType}, b ${integerType})`);
  await execute(
    `insert into users select i, case when mod(i, 2) = 0 then 'C0' else 'C1' end, i, nullif(mod(i, 3), 0) from ${range(rows)}`,
  );
  return subject;
}

/** Cases of one kind, by their titles. */
export type Area = (it: (title: string, test: () => Promise<void>) => void, makeSubject: MakeSubject) => void;
