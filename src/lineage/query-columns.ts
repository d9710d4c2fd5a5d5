import type { DatasetName } from './facets.ts';
import { commonTables, isNode, nodesOf, type ReadTable, readTable, type TreeNode, textOf, textsOf } from './query-tree.ts';
import type { OriginColumn } from './traced-query.ts';

// Traces a query's columns by its syntax tree alone, without knowing the columns of its tables. Anything ambiguous is not
// traced.

/** Undefined if unknown. */
type Origins = readonly OriginColumn[] | undefined;

interface OutputColumn {
  /** Lower case; undefined if DuckDB generates it. */
  readonly name: string | undefined;
  readonly origins: Origins;
}

/** The columns of a query or of an item in FROM. */
interface Relation {
  /** Lower case; undefined if nothing can refer to it. */
  readonly alias: string | undefined;
  readonly columns: readonly OutputColumn[];
  /** Which further columns it may have: none, those of a table, or unknown ones. */
  readonly more: 'none' | DatasetName | 'unknown';
}

interface Scope {
  readonly relations: readonly Relation[];
  /** Columns of USING, lower case, with their origins if unqualified. */
  readonly using: ReadonlyMap<string, Origins>;
  /** Whether an unqualified name may be anything: in a subquery, and after a natural join. */
  readonly vague: boolean;
}

type CommonTables = ReadonlyMap<string, Relation>;

/** Lineage names of a query's tables; undefined if one stands for several files. */
export type NameOf = (read: ReadTable) => DatasetName | undefined;

/** Origins by lower-case column name; missing unless certain. */
export function queryColumns(node: TreeNode, nameOf: NameOf, names: readonly string[]): Map<string, readonly OriginColumn[]> {
  const tracer = new Tracer(nameOf);
  const output = tracer.query(node, new Map(), false);
  const found = new Map<string, readonly OriginColumn[]>();
  for (const name of names) {
    const origins = columnOf(output, name.toLowerCase(), name);
    if (origins !== undefined && origins.length > 0) found.set(name.toLowerCase(), eachOnce(origins));
  }
  return found;
}

class Tracer {
  readonly #nameOf: NameOf;

  constructor(nameOf: NameOf) {
    this.#nameOf = nameOf;
  }

  query(node: TreeNode, outer: CommonTables, nested: boolean): Relation {
    const common = new Map(outer);
    for (const { name, columns, node: definition } of commonTables(node))
      common.set(name, withNames(this.query(definition, common, nested), columns));
    if (node.type === 'SET_OPERATION_NODE') return this.#setOperation(node, common, nested);
    return node.type === 'SELECT_NODE' ? this.#select(node, common, nested) : UNKNOWN;
  }

  /** Matches columns by position; EXCEPT returns rows of its first query. */
  #setOperation(node: TreeNode, common: CommonTables, nested: boolean): Relation {
    const sides = [node.left, node.right].filter(isNode).map((side) => this.query(side, common, nested));
    const [left = UNKNOWN, right = UNKNOWN] = sides;
    if (node.setop_type === 'EXCEPT') return left;
    if (node.setop_type !== 'UNION' && node.setop_type !== 'INTERSECT') return UNKNOWN;
    if (left.more !== 'none' || right.more !== 'none' || left.columns.length !== right.columns.length) return UNKNOWN;
    const columns = left.columns.map(({ name, origins }, i) => ({ name, origins: both(origins, right.columns[i]?.origins) }));
    return { alias: undefined, columns, more: 'none' };
  }

  #select(node: TreeNode, common: CommonTables, nested: boolean): Relation {
    const from = isNode(node.from_table) ? this.#from(node.from_table, common, false) : EMPTY;
    const scope = { ...from, vague: from.vague || nested };
    const items = new Items(scope, (subquery) => this.query(subquery, common, true));
    const columns: OutputColumn[] = [];
    let more: Relation['more'] = 'none';
    for (const item of nodesOf(node.select_list)) {
      if (item.class !== 'STAR') {
        columns.push(items.column(item));
        continue;
      }
      const star = starOf(item, scope);
      columns.push(...star.columns);
      more = more === 'none' ? star.more : star.more === 'none' ? more : 'unknown';
    }
    return { alias: undefined, columns, more };
  }

  /** @param lateral whether its subqueries see the tables to their left */
  #from(node: TreeNode, common: CommonTables, lateral: boolean): Scope {
    if (node.type === 'JOIN' && isNode(node.left) && isNode(node.right)) {
      const sides = [this.#from(node.left, common, lateral), this.#from(node.right, common, true)] as const;
      return joined(node, ...sides);
    }
    if (node.type === 'EMPTY') return EMPTY;
    return { relations: [this.#relation(node, common, lateral)], using: new Map(), vague: false };
  }

  #relation(node: TreeNode, common: CommonTables, lateral: boolean): Relation {
    const alias = textOf(node.alias).toLowerCase();
    const renamed = textsOf(node.column_name_alias);
    if (node.type === 'SUBQUERY') {
      const query =
        isNode(node.subquery) && isNode(node.subquery.node) ? this.query(node.subquery.node, common, lateral) : UNKNOWN;
      return { ...withNames(query, renamed), alias: alias || undefined };
    }
    const read = readTable(node);
    if (read === undefined) return { ...UNKNOWN, alias: alias || undefined };
    const [only, ...more] = read.table ?? [];
    const known = only !== undefined && more.length === 0 ? common.get(only.toLowerCase()) : undefined;
    const own = alias || (read.table?.at(-1) ?? '').toLowerCase() || undefined;
    if (known) return { ...withNames(known, renamed), alias: own };
    const name = this.#nameOf(read);
    return { alias: own, columns: [], more: name === undefined || renamed.length > 0 ? 'unknown' : name };
  }
}

function joined(node: TreeNode, left: Scope, right: Scope): Scope {
  if (node.join_type === 'SEMI' || node.join_type === 'ANTI') return left;
  const using = new Map([...left.using, ...right.using]);
  for (const name of textsOf(node.using_columns).map((one) => one.toLowerCase())) {
    const [first, second] = [unqualified(left, name), unqualified(right, name)];
    const kept = node.join_type === 'INNER' || node.join_type === 'LEFT';
    using.set(name, kept ? first : both(first, second));
  }
  const vague = left.vague || right.vague || node.ref_type === 'NATURAL';
  return { relations: [...left.relations, ...right.relations], using, vague };
}

const UNKNOWN: Relation = { alias: undefined, columns: [], more: 'unknown' };
const EMPTY: Scope = { relations: [], using: new Map(), vague: false };

/** The items of a select list, left to right: an item may use the names of earlier ones. */
class Items {
  readonly #scope: Scope;
  readonly #query: (node: TreeNode) => Relation;
  readonly #aliases = new Set<string>();
  /** Columns of tables that were used before an item took the same name. A column takes precedence over an item. */
  readonly #proven = new Set<string>();

  constructor(scope: Scope, query: (node: TreeNode) => Relation) {
    this.#scope = scope;
    this.#query = query;
  }

  column(item: TreeNode): OutputColumn {
    const path = item.class === 'COLUMN_REF' ? textsOf(item.column_names) : [];
    const alias = textOf(item.alias) || path.at(-1);
    const origins = path.length > 0 ? this.#reference(path) : asMade(this.#origins(item));
    if (textOf(item.alias) !== '') this.#aliases.add(textOf(item.alias).toLowerCase());
    return { name: alias?.toLowerCase(), origins };
  }

  #reference(path: readonly string[]): Origins {
    const [first = '', second, ...rest] = path.map((part) => part.toLowerCase());
    const { relations } = this.#scope;
    if (second === undefined) return this.#name(first, path[0]);
    if (rest.length > 0) return undefined;
    const relation = relations.filter(({ alias }) => alias === first);
    if (relation.length === 1 && relation[0]) return columnOf(relation[0], second, path[1]);
    // A field of a struct column.
    return this.#scope.vague || relation.length > 1 ? undefined : asMade(this.#name(first, path[0]));
  }

  #name(name: string, written: string | undefined): Origins {
    const origins = unqualified(this.#scope, name, written);
    if (!this.#aliases.has(name)) this.#proven.add(name);
    const isColumn = this.#proven.has(name) || this.#scope.relations.some((relation) => hasColumn(relation, name));
    return isColumn ? origins : undefined;
  }

  /** Origins of all columns in an expression; undefined if one is unknown. */
  #origins(value: unknown): Origins {
    if (Array.isArray(value)) return value.map((one) => this.#origins(one)).reduce<Origins>(both, []);
    if (!isNode(value)) return [];
    if (value.class === 'COLUMN_REF') return this.#reference(textsOf(value.column_names));
    if (value.class === 'SUBQUERY') return this.#subquery(value);
    if (['STAR', 'LAMBDA', 'POSITIONAL_REFERENCE'].includes(textOf(value.class))) return undefined;
    return this.#origins(Object.values(value).filter((part) => typeof part === 'object'));
  }

  #subquery({ subquery, subquery_type: type }: TreeNode): Origins {
    if (type !== 'SCALAR' || !isNode(subquery) || !isNode(subquery.node)) return undefined;
    const { columns, more } = this.#query(subquery.node);
    return more === 'none' && columns.length === 1 ? columns[0]?.origins : undefined;
  }
}

/** The columns that `*` or `t.*` adds. */
function starOf(item: TreeNode, { relations, using }: Scope): Pick<Relation, 'columns' | 'more'> {
  const changes = ['replace_list', 'rename_list', 'qualified_exclude_list', 'unpacked', 'expr'] as const;
  const isChanged = changes.some((key) => isFilled(item[key])) || item.columns === true;
  const of = textOf(item.relation_name).toLowerCase();
  const chosen = of === '' ? relations : relations.filter(({ alias }) => alias === of);
  if (isChanged || (of === '' && using.size > 0)) return UNKNOWN;
  const left = new Set(textsOf(item.exclude_list).map((name) => name.toLowerCase()));
  const columns = chosen.flatMap((relation) => relation.columns).filter(({ name }) => name === undefined || !left.has(name));
  const open = chosen.map(({ more }) => more).filter((more) => more !== 'none');
  return { columns, more: open.length === 0 ? 'none' : open.length === 1 && open[0] ? open[0] : 'unknown' };
}

function isFilled(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : isNode(value) ? Object.keys(value).length > 0 : value === true;
}

/** Origins of an unqualified name. */
function unqualified({ relations, using, vague }: Scope, name: string, written = name): Origins {
  if (using.has(name)) return using.get(name);
  const sure = relations.filter((relation) => hasColumn(relation, name));
  if (sure.length === 1 && sure[0]) return columnOf(sure[0], name);
  const open = relations.filter(({ more }) => more !== 'none');
  return !vague && sure.length === 0 && open.length === 1 && open[0] ? columnOf(open[0], name, written) : undefined;
}

function hasColumn({ columns }: Relation, name: string): boolean {
  return columns.some((column) => column.name === name);
}

/** @param written the name in its original case, for columns of tables */
function columnOf(relation: Relation, name: string, written = name): Origins {
  const found = relation.columns.filter((column) => column.name === name);
  if (found.length > 0) return found.length === 1 ? found[0]?.origins : undefined;
  // A column without a name may have this one.
  if (relation.columns.some((column) => column.name === undefined)) return undefined;
  return typeof relation.more === 'string' ? undefined : [{ ...relation.more, field: written, identity: true }];
}

/** `(…) AS t(a, b)`. */
function withNames(relation: Relation, names: readonly string[]): Relation {
  if (names.length === 0) return relation;
  if (relation.more !== 'none') return UNKNOWN;
  return {
    ...relation,
    columns: relation.columns.map((column, i) => ({ ...column, name: names[i]?.toLowerCase() ?? column.name })),
  };
}

function both(one: Origins, other: Origins): Origins {
  return one && other && [...one, ...other];
}

function asMade(origins: Origins): Origins {
  return origins?.map((origin) => ({ ...origin, identity: false }));
}

/** A column that is both returned unchanged and computed with counts as computed. */
function eachOnce(origins: readonly OriginColumn[]): OriginColumn[] {
  const found = new Map<string, OriginColumn>();
  for (const origin of origins) {
    const key = JSON.stringify([origin.namespace, origin.name, origin.field]);
    const before = found.get(key);
    found.set(key, before ? { ...before, identity: before.identity && origin.identity } : origin);
  }
  return [...found.values()];
}
