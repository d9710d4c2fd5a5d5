import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { type Database, openDatabase } from '../../../src/duckdb/database.ts';
import { identifier as quoted } from '../../../src/duckdb/sql.ts';
import type { EventFeatures } from '../../../src/event-features/definition.ts';
import { compareForms, type Differences } from './compare.ts';
import { FEATURES } from './features.ts';
import { duckdbForm, embeddedForm, flinkForm, loadLog, PLAIN, plainForm, warehouseForm } from './forms.ts';
import { generateLog, type LoggedEvent, type LogOptions } from './generate.ts';

const MEMORY = 2e9;

export interface Agreement {
  readonly asOf: EventFeatures['asOf'];
  /** Records by verdict. */
  readonly verdicts: Readonly<Record<string, number>>;
  /** Form → how it differs from the plain one, and the seconds that it took. */
  readonly forms: Readonly<Record<string, Differences & { readonly seconds: number; readonly memory?: number }>>;
  /** Form → records to which it gives another verdict. */
  readonly verdictsThatDiffer: Readonly<Record<string, number>>;
}

/** Has Flink SQL read a log: writes folders `features` and `rejected` of JSON lines. @returns bytes of memory, if they are known */
export type FlinkJob = (features: EventFeatures, log: readonly LoggedEvent[], output: string) => Promise<number | undefined>;

/** The rows of the compiled SQL over the log in a warehouse. */
type WarehouseQuery = (
  features: EventFeatures,
  log: readonly LoggedEvent[],
) => Promise<readonly Readonly<Record<string, unknown>>[]>;

export interface AgreeOptions extends LogOptions {
  readonly asOf: EventFeatures['asOf'];
  /** Only as of event. */
  readonly flink?: FlinkJob | undefined;
  readonly warehouse?: WarehouseQuery;
  /** For files; empty or absent. */
  readonly folder: string;
}

/** Computes the same features of the same log in every form that is here, and compares them bit by bit. */
export async function agree({ asOf, flink, warehouse, folder, ...options }: AgreeOptions): Promise<Agreement> {
  const features = { ...FEATURES, asOf };
  await mkdir(folder, { recursive: true });
  const database = await openDatabase(':memory:', { memory: MEMORY, temporary: folder });
  try {
    const log = generateLog(options);
    await loadLog(database, features, log, folder);
    const forms: Record<string, Differences & { seconds: number; memory?: number }> = {};
    const verdictsThatDiffer: Record<string, number> = {};
    await plainForm(database, features);
    await database.run(`CREATE VIEW accepted AS SELECT * EXCLUDE (verdict) FROM ${PLAIN} WHERE verdict = 'accepted'`);
    const compare = async (name: string, make: () => Promise<void>): Promise<void> => {
      const from = performance.now();
      await make();
      const seconds = (performance.now() - from) / 1000;
      forms[name] = { ...(await compareForms(database, features, 'accepted', name)), seconds };
    };
    await compare('duckdb', () => duckdbForm(database, features, 'duckdb'));
    await compare('embedded', () => embeddedForm({ database, features, log, folder }, 'embedded'));
    verdictsThatDiffer.embedded = await otherVerdicts(database, features, 'embedded_verdicts', 'verdict');
    if (flink !== undefined) {
      let memory: number | undefined;
      await compare('flink', async () => {
        const output = path.resolve(folder, 'flink');
        memory = await flink(features, log, output);
        await flinkForm(database, features, output, 'flink');
      });
      if (forms.flink && memory !== undefined) forms.flink.memory = memory;
      verdictsThatDiffer.flink = await otherVerdicts(database, features, 'flink_rejected', 'reason');
    }
    if (warehouse !== undefined) {
      const rows = await warehouse(features, log);
      await compare('warehouse', () => warehouseForm({ database, features, folder }, rows, 'warehouse'));
    }
    const counts = await database.rows(`SELECT verdict, count(*) FROM ${PLAIN} GROUP BY ALL ORDER BY ALL`);
    const verdicts = Object.fromEntries(counts.map(([verdict, count]) => [String(verdict), Number(count)]));
    return { asOf, verdicts, forms, verdictsThatDiffer };
  } finally {
    await database[Symbol.asyncDispose]();
  }
}

/** How many events look different if features are computed at once, in the order of arrival, but trained on as of event. */
export async function trap({ folder, ...options }: LogOptions & { readonly folder: string }): Promise<Differences> {
  await mkdir(folder, { recursive: true });
  const database = await openDatabase(':memory:', { memory: MEMORY, temporary: folder });
  try {
    const log = generateLog(options);
    await loadLog(database, FEATURES, log, folder);
    await plainForm(database, FEATURES);
    await duckdbForm(database, FEATURES, 'trained');
    await embeddedForm({ database, features: { ...FEATURES, asOf: 'arrival' }, log, folder }, 'live');
    return await compareForms(database, FEATURES, 'trained', 'live');
  } finally {
    await database[Symbol.asyncDispose]();
  }
}

/** A record that a table does not have counts as accepted if the table is of rejected ones. */
async function otherVerdicts(database: Database, { log }: EventFeatures, table: string, column: string): Promise<number> {
  const place = [log?.partition ?? '', log?.offset ?? ''].map(quoted).join(', ');
  const rows = await database.rows(`SELECT count(*) FROM ${PLAIN} p FULL JOIN ${table} t USING (${place})
    WHERE coalesce(t.${column}, 'accepted') IS DISTINCT FROM p.verdict`);
  return Number(rows[0]?.[0]);
}
