import { tmpdir } from 'node:os';
import type { Query } from '../domain/query.ts';
import { openDatabase } from '../duckdb/database.ts';

/**
 * A node of DuckDB's syntax tree, in the form of `json_serialize_sql`:
 * https://duckdb.org/docs/stable/data/json/sql_to_and_from_json
 */
export type TreeNode = Readonly<Record<string, unknown>>;

/** Bytes; enough for the parser. */
const MEMORY = 64_000_000;

/**
 * The syntax tree of a query in DuckDB's SQL. Nothing is run, and no file is opened.
 *
 * @throws Error if there is no tree, as for a query that is not a SELECT
 */
export async function queryTree({ texts, parameters }: Query): Promise<TreeNode> {
  const sql = texts.map((text, i) => text + (parameters[i] === undefined ? '' : `$${parameters[i].name}`)).join('');
  await using database = await openDatabase(':memory:', { memory: MEMORY, threads: 1, temporary: tmpdir() });
  const [[text] = []] = await database.rows('SELECT json_serialize_sql($sql::VARCHAR)', { sql });
  const tree: unknown = JSON.parse(String(text));
  const [statement] = isNode(tree) ? nodesOf(tree.statements) : [];
  if (!isNode(statement?.node)) throw new Error('DuckDB does not write the tree of the query');
  return statement.node;
}

export function isNode(value: unknown): value is TreeNode {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The nodes of a list; empty for anything else. */
export function nodesOf(value: unknown): TreeNode[] {
  return Array.isArray(value) ? value.filter(isNode) : [];
}

export function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The queries of a WITH clause, in order. */
export function commonTables(node: TreeNode): CommonTable[] {
  const map = isNode(node.cte_map) ? nodesOf(node.cte_map.map) : [];
  return map.flatMap(({ key, value }) => {
    const query = isNode(value) && isNode(value.query) ? value.query.node : undefined;
    if (!isNode(value) || !isNode(query)) return [];
    return [{ name: textOf(key).toLowerCase(), columns: textsOf(value.aliases), node: query }];
  });
}

interface CommonTable {
  /** Lower case. */
  readonly name: string;
  /** Names given to its columns; empty to keep those of its query. */
  readonly columns: readonly string[];
  readonly node: TreeNode;
}

/** A table, or a file that a query reads like one. */
export interface ReadTable {
  /** Catalog, schema and name, as far as written. */
  readonly table?: readonly string[];
  /** Paths of files, as written. */
  readonly files?: readonly string[];
}

const FILE = /\.(parquet|csv|tsv|json|jsonl|ndjson)(\.(gz|zst))?$/i;
const READERS = new Set(['read_parquet', 'parquet_scan', 'read_csv', 'read_csv_auto', 'read_json', 'read_json_auto']);

/** What a node of a FROM clause reads; undefined if it is neither a table nor a file. */
export function readTable(node: TreeNode): ReadTable | undefined {
  if (node.type === 'BASE_TABLE') {
    const name = textOf(node.table_name);
    const table = [node.catalog_name, node.schema_name, name].map(textOf).filter((part) => part !== '');
    return table.length === 1 && FILE.test(name) ? { files: [name] } : { table };
  }
  if (node.type !== 'TABLE_FUNCTION' || !isNode(node.function)) return undefined;
  if (!READERS.has(textOf(node.function.function_name))) return undefined;
  const [first] = nodesOf(node.function.children);
  const files = first && constants(first);
  return files && files.length > 0 ? { files } : undefined;
}

/** `'a.parquet'` or `['a.parquet', 'b.parquet']`; undefined if it is computed. */
function constants(node: TreeNode): string[] | undefined {
  if (node.class === 'CONSTANT')
    return isNode(node.value) && typeof node.value.value === 'string' ? [node.value.value] : undefined;
  if (node.class !== 'FUNCTION' || node.function_name !== 'list_value') return undefined;
  const parts = nodesOf(node.children).map(constants);
  return parts.every((part) => part !== undefined) ? parts.flat() : undefined;
}

/** All tables and files that a query reads, without duplicates and without its WITH clauses. */
export function readTables(node: TreeNode): ReadTable[] {
  const found = new Map<string, ReadTable>();
  collect(node, new Set(), (read) => found.set(JSON.stringify(read).toLowerCase(), read));
  return [...found.values()];
}

function collect(value: unknown, known: ReadonlySet<string>, add: (read: ReadTable) => void): void {
  if (Array.isArray(value)) for (const one of value) collect(one, known, add);
  if (!isNode(value)) return;
  const names = new Set(known);
  for (const { name, node } of commonTables(value)) {
    collect(node, names, add);
    names.add(nameOf([name]));
  }
  const read = readTable(value);
  if (read && !(read.table && names.has(nameOf(read.table)))) add(read);
  for (const [key, child] of Object.entries(value)) {
    if (key === 'cte_map') continue;
    const isRepeated = value.type === 'RECURSIVE_CTE_NODE' && key === 'right';
    collect(child, isRepeated ? new Set([...names, ...ownNames(textOf(value.cte_name))]) : names, add);
  }
}

/** Names of a recursive query's own rows in its recursive part. Its initial part may read a table of the same name. */
function ownNames(name: string): string[] {
  return [nameOf([name]), nameOf(['recurring', name])];
}

function nameOf(path: readonly string[]): string {
  return JSON.stringify(path).toLowerCase();
}
