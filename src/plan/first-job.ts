import type { Column } from '../domain/schema.ts';
import { sqlName, sqlTable } from '../domain/sql-name.ts';
import { showTableName, type TableName } from '../domain/table-name.ts';
import type { WarehouseKind } from '../domain/warehouse-kind.ts';
import type { JobFacts, QueryFacts } from '../job/template.ts';
import { yamlText } from '../yaml/scalar.ts';
import type { OpenFeature, Proposal } from './proposal.ts';

/** The content of a new job file and its query. */
export interface FirstJob {
  readonly job: Pick<JobFacts, 'key' | 'keyComment' | 'renames' | 'keepComment'>;
  readonly query: QueryFacts;
  /** What is left to do, one sentence each. */
  readonly open: readonly string[];
}

/** Most columns that a comment lists. */
const MAX_LISTED = 20;

const SUFFIXES: Readonly<Record<string, string>> = { date: '_date', datetime: '_local', timestamp: '' };

export function firstJob(proposal: Proposal, table: TableName, kind: WarehouseKind): FirstJob {
  const { key, keyCandidates, features, open, time, timeCandidates, others } = proposal;
  const name = (column: string) => sqlName(column, kind);
  const near = open.filter(isNear);
  const columns = new Set([
    ...(key === undefined ? keyCandidates : [key.name]),
    ...features.map((column) => column.name),
    ...near.flatMap(({ column }) => column ?? []),
  ]);
  return {
    job: {
      key: key === undefined ? [] : [key.name],
      keyComment:
        key === undefined
          ? `name the columns that identify a row${candidateList(keyCandidates)}`
          : 'chosen by name; list several columns for a composite key',
      ...renamesOf(near),
      keepComment:
        others.length === 0
          ? 'columns of the query to publish with each score'
          : `columns of the query to publish with each score; the table has ${listed(others)}`,
    },
    query: {
      table: sqlTable(table, kind),
      columns: columns.size > 0 ? [...columns].map(name) : ['*'],
      missing: open
        .filter((feature) => !isNear(feature))
        .map(
          ({ name: feature, dtype, why, column }) =>
            `, ${column === undefined ? '…' : name(column)} as ${name(feature)} -- ${dtype}: ${why}`,
        ),
      ...(time && { time: { column: name(time.name), suffix: suffixOf(time) } }),
      timeComments: time === undefined ? timeComments(timeCandidates, name) : [],
    },
    open: [
      ...(key === undefined ? [`name the key${candidateList(keyCandidates)}`] : []),
      ...open.map(({ name: feature, dtype, why, column }) => {
        const near = column === undefined || column === feature ? '' : `; is it ${column}?`;
        return `add a column to the query for the feature ${feature} (${dtype}): ${why}${near}`;
      }),
      ...(time === undefined
        ? [
            `choose the column of ${showTableName(table)} that decides which window a row belongs to${candidateList(timeCandidates.map((column) => column.name))}`,
          ]
        : []),
    ],
  };
}

/** Whether the table may have the feature under another name; `features` in the job file maps such names. */
function isNear({ name, column }: OpenFeature): boolean {
  return column !== undefined && column.toLowerCase() !== name.toLowerCase();
}

function renamesOf(near: readonly OpenFeature[]): Pick<JobFacts, 'renames'> {
  if (near.length === 0) return {};
  return {
    renames: [
      'features:                           # feature of the model: column of the query; uncomment the ones that match',
      ...near.map(({ name, column = '' }) => `  ${yamlText(name)}: ${yamlText(column)}`),
    ],
  };
}

function timeComments(candidates: readonly Column[], name: (column: string) => string): string[] {
  if (candidates.length === 0) {
    return ['The table has no date or time column. Filter by the window here:', 'where … >= :window_start and … < :window_end'];
  }
  return [
    'Choose the column that decides which window a row belongs to:',
    ...candidates.map((column) => {
      const suffix = suffixOf(column);
      return `where ${name(column.name)} >= :window_start${suffix} and ${name(column.name)} < :window_end${suffix}`;
    }),
  ];
}

function suffixOf({ type }: Column): string {
  return SUFFIXES[type] ?? '';
}

function candidateList(names: readonly string[]): string {
  return names.length === 0 ? '' : `, perhaps ${listed(names)}`;
}

function listed(names: readonly string[]): string {
  // A line break in a name would end the comment.
  const shown = names.slice(0, MAX_LISTED).map((name) => name.replaceAll(/\s+/g, ' '));
  return names.length > MAX_LISTED ? `${shown.join(', ')} and ${names.length - MAX_LISTED} more` : shown.join(', ');
}
