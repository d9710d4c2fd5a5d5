import type { Query } from '../../domain/query.ts';
import type { Cell } from '../../duckdb/database.ts';
import { duckdbError } from '../../duckdb/errors.ts';
import { toColumn } from '../../duckdb/types.ts';
import { notOneBoolean } from '../errors.ts';
import type { TextRow } from '../reader.ts';
import type { CountingSource, MeasuringSource } from '../source-capabilities.ts';
import { largestTexts, selectLargest } from '../sql/frozen.ts';
import { asSubquery } from '../sql/subquery.ts';
import type { EmbeddedSource } from '../tapping.ts';
import type { Source } from '../warehouse.ts';
import { DUCKDB } from './dialect.ts';
import { eraseFrozen } from './erase-frozen.ts';
import { queryError } from './errors.ts';
import { type DuckdbFile, elsewhere, translated, withFile } from './file.ts';
import { freeze, readFrozen, selectFrozen, showFrozen, verifyFrozen, viewChunk } from './freeze.ts';
import { fileIdentity } from './identity.ts';
import { renderQuery, showWithValues } from './query.ts';
import { dropArtifact, listArtifacts, removeRunFolder } from './scratch.ts';

export function duckdbSource(file: DuckdbFile): Source & CountingSource & EmbeddedSource & MeasuringSource {
  const rowsOf = (query: Query, around: (sql: string) => string): Promise<Cell[][]> => {
    const { sql, values } = renderQuery(query);
    return withFile(file, 'read', async (database) => {
      try {
        return await database.rows(around(sql), values);
      } catch (error) {
        throw queryError(duckdbError(error, file.path), query.name);
      }
    });
  };
  return {
    dialect: DUCKDB,
    identity: () => translated(file.path, () => fileIdentity(file.path)),
    async describe(query) {
      const rows = await rowsOf(query, (sql) => `DESCRIBE ${asSubquery(sql)}`);
      return rows.map(([name, type]) => toColumn(String(name), String(type)));
    },
    async ready(query) {
      const [row, ...more] = await rowsOf(query, (sql) => `SELECT * FROM ${asSubquery(sql)}`);
      const value = row?.[0];
      if (row?.length !== 1 || more.length > 0 || (typeof value !== 'boolean' && value !== null)) {
        throw notOneBoolean(query.name);
      }
      return value === true;
    },
    async count(query) {
      const rows = await rowsOf(query, (sql) => `SELECT count(*) FROM ${asSubquery(sql)}`);
      return Number(rows[0]?.[0]);
    },
    async largest(query, texts) {
      const [row] = await rowsOf(query, (sql) => selectLargest(DUCKDB, asSubquery(sql), texts, 'strlen'));
      return largestTexts(texts, row?.map(String));
    },
    session(query) {
      const { sql, values } = renderQuery(query);
      const { path, scratch, job, memory, reserve } = file;
      return { path, scratch, job, memory, reserve, sql, values, name: query.name };
    },
    alone: (work) => elsewhere(file, work),
    async guessRows(query) {
      const [row] = await rowsOf(query, (sql) => `EXPLAIN (FORMAT json) ${sql}`);
      return guessOf(JSON.parse(String(row?.[1])) as PlanStep[]);
    },
    select: async (query, statement) => (await rowsOf(query, (sql) => statement(DUCKDB, asSubquery(sql)))) as TextRow[],
    selectFrozen: (frozen, statement) => translated(file.scratch, () => selectFrozen(file, frozen, statement)),
    showFrozen: async (frozen, query, statement) =>
      frozen.tapped ? statement(DUCKDB, asSubquery(showWithValues(query))) : showFrozen(file, frozen, statement),
    freeze: (query, options) => translated(file.scratch, () => freeze(file, query, options)),
    frozen: (runId) => readFrozen(file, runId),
    verify: (frozen) => translated(file.scratch, () => verifyFrozen(file, frozen)),
    loadChunk: (frozen, chunk, database) => translated(file.scratch, () => viewChunk(file, frozen, chunk, database)),
    eraseFrozen: (frozen, person) => translated(file.scratch, () => eraseFrozen(file, frozen, person)),
    dropFrozen: (runId) => removeRunFolder(file, runId),
    listArtifacts: () => translated(file.scratch, () => listArtifacts(file)),
    drop: (artifact) => translated(file.scratch, () => dropArtifact(artifact)),
    async probe() {
      await withFile(file, 'read', (database) => database.run('SELECT 1'));
      return `${file.path} can be read`;
    },
  };
}

interface PlanStep {
  readonly extra_info?: { readonly 'Estimated Cardinality'?: string };
  readonly children?: readonly PlanStep[];
}

/** The planner's estimate for the topmost step that has one. */
function guessOf([step]: readonly PlanStep[]): number {
  if (step === undefined) return 0;
  const guess = step.extra_info?.['Estimated Cardinality'];
  return guess === undefined ? guessOf(step.children ?? []) : Number(guess);
}
