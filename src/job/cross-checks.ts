import path from 'node:path';
import { REPORT_KINDS } from '../domain/report-kind.ts';
import { isStoreAddress } from '../domain/store-address.ts';
import { parseTableName, sibling, suffixed, type TableName } from '../domain/table-name.ts';
import { optionalColumns, RESERVED_COLUMNS, RESERVED_FOR_KEYS, RESERVED_IN_SLIM } from '../domain/tables.ts';
import { warehouseKind } from '../domain/warehouse-kind.ts';
import type { Problem } from '../yaml/checked.ts';
import { challengerChecks } from './challenger-checks.ts';
import { classChecks } from './class-checks.ts';
import { incrementalChecks } from './incremental-checks.ts';
import { keptRowsAreFrozen } from './kept-checks.ts';
import type { JobDefinition } from './schema.ts';

/** Checks across keys, such as names that would clash in one table, or segments that are not kept. */
export function crossChecks(job: JobDefinition): Problem[] {
  return [
    ...repeatedColumns(job),
    ...reservedColumns(job),
    ...segmentsKept(job),
    ...tablesApart(job),
    ...reportFilesApart(job),
    ...pagesTogether(job),
    ...ranksNeeded(job),
    ...slimTableIsOwn(job),
    ...systemSchemas(job),
    ...unloadSupported(job),
    ...keptRowsAreFrozen(job),
    ...decilesForLabels(job),
    ...evaluationGatesHaveLabels(job),
    ...challengerChecks(job),
    ...incrementalChecks(job),
    ...noSlicesOfEvents(job),
    ...classChecks(job),
    ...deliveryHasPage(job),
  ];
}

function repeatedColumns({ source, sink, report }: JobDefinition): Problem[] {
  const lists = [
    { path: ['source', 'key'], names: source.key, taken: [] as readonly string[] },
    { path: ['sink', 'keep'], names: sink.keep, taken: source.key },
    { path: ['report', 'segments'], names: report.segments, taken: [] as readonly string[] },
  ];
  return lists.flatMap(({ path, names, taken }) =>
    names.flatMap((name, index) => {
      const before = [...taken, ...names.slice(0, index)].map((other) => other.toLowerCase());
      return before.includes(name.toLowerCase()) ? [{ path: [...path, index], message: `${name} is listed twice` }] : [];
    }),
  );
}

function reservedColumns({ source, sink, score, report }: JobDefinition): Problem[] {
  const options = optionalColumns({ reasons: score.reasons?.features, holdout: report.holdout !== undefined });
  const reserved = new Set<string>([
    ...RESERVED_COLUMNS,
    ...options.map(({ name }) => name),
    ...(sink.layout === 'slim' ? RESERVED_IN_SLIM : []),
  ]);
  const own = [
    ...source.key.map((name, index) => ({ path: ['source', 'key', index], name })),
    ...sink.keep.map((name, index) => ({ path: ['sink', 'keep', index], name })),
    { path: ['score', 'column'], name: score.column },
  ];
  const clashes = own.filter(
    ({ path, name }) =>
      reserved.has(name.toLowerCase()) || (path[1] === 'key' && RESERVED_FOR_KEYS.includes(name.toLowerCase())),
  );
  const columns = [...source.key, ...sink.keep].map((name) => name.toLowerCase());
  return [
    ...clashes.map(({ path, name }) => ({
      path,
      message: `${name} is reserved for a column that score-batch writes; rename it in the query`,
    })),
    ...(columns.includes(score.column.toLowerCase())
      ? [{ path: ['score', 'column'], message: `${score.column} is also a key or kept column` }]
      : []),
  ];
}

function deliveryHasPage({ delivery, report }: JobDefinition): Problem[] {
  if (delivery === undefined) return [];
  const nowhere = delivery.webhook === undefined && delivery.mail === undefined;
  return [
    ...(nowhere ? [{ path: ['delivery'], message: 'must have webhook, mail or both' }] : []),
    ...(report.page === undefined
      ? [{ path: ['delivery'], message: 'needs report.page: messages take their text from the report page' }]
      : []),
  ];
}

/** System schemas of the warehouses. Nobody can create a table in them. */
const SYSTEM = ['information_schema', 'pg_catalog'];

function systemSchemas({ source, sink, report, labels }: JobDefinition): Problem[] {
  const names = [
    { path: ['sink', 'table'], parts: parseTableName(sink.table)?.slice(0, -1) },
    { path: ['report', 'table'], parts: report.table === undefined ? [] : parseTableName(report.table)?.slice(0, -1) },
    {
      path: ['report', 'summary_table'],
      parts: report.summary_table === undefined ? [] : parseTableName(report.summary_table)?.slice(0, -1),
    },
    {
      path: ['report', 'drift_table'],
      parts: report.drift_table === undefined ? [] : parseTableName(report.drift_table)?.slice(0, -1),
    },
    { path: ['labels', 'table'], parts: labels?.table === undefined ? [] : parseTableName(labels.table)?.slice(0, -1) },
    { path: ['source', 'scratch'], parts: source.scratch.split('.') },
    { path: ['sink', 'scratch'], parts: sink.scratch.split('.') },
  ];
  return names.flatMap(({ path, parts = [] }) =>
    parts
      .filter((part) => SYSTEM.includes(part.toLowerCase()))
      .map((part) => ({ path, message: `${part} is a system schema of the warehouse; no table can be created in it` })),
  );
}

function segmentsKept({ sink, report }: JobDefinition): Problem[] {
  const kept = sink.keep.map((name) => name.toLowerCase());
  const all = report.segments.findIndex((name) => name.toLowerCase() === 'all');
  if (all >= 0)
    return [
      {
        path: ['report', 'segments', all],
        message: 'all is reserved for the segment of all users; rename the column in the query',
      },
    ];
  return report.segments.flatMap((name, index) =>
    kept.includes(name.toLowerCase())
      ? []
      : [
          {
            path: ['report', 'segments', index],
            message: `${name} is not in sink.keep, so the report does not have the column`,
          },
        ],
  );
}

function tablesApart({ sink, report, labels }: JobDefinition): Problem[] {
  const scores = parseTableName(sink.table) ?? [];
  const named = [
    { path: ['sink', 'table'], name: sink.table },
    { path: ['report', 'table'], name: report.table },
    { path: ['report', 'summary_table'], name: report.summary_table },
    { path: ['report', 'drift_table'], name: report.drift_table },
    { path: ['labels', 'table'], name: labels?.table },
  ];
  const seen = new Map([
    ...(labels !== undefined && labels.table === undefined
      ? [[keyOf(suffixed(scores, '_evaluation')), 'the evaluation table'] as const]
      : []),
    [keyOf(suffixed(scores, '_quarantine')), 'the quarantine table'],
    [keyOf(sibling(scores, 'score_batch_ledger')), 'the ledger table'],
  ]);
  return named.flatMap(({ path, name }) => {
    if (name === undefined) return [];
    const key = keyOf(parseTableName(name) ?? []);
    const other = seen.get(key);
    seen.set(key, path.join('.'));
    return other === undefined ? [] : [{ path, message: `${name} is already ${other}` }];
  });
}

/** Ignores case: many file systems do. Links are followed once the window is known, see `refuseReserved`. */
function reportFilesApart({ report }: JobDefinition): Problem[] {
  const files = REPORT_KINDS.flatMap((kind) => {
    const template = report[kind];
    return template === undefined ? [] : [{ kind, template, place: placeOf(template) }];
  });
  return files.flatMap(({ kind, template, place }, i) => {
    const others = files.filter((_, j) => j !== i);
    const same = others.find((other, j) => j < i && other.place === place);
    const folder = others.find((other) => !isStoreAddress(place) && place.startsWith(`${other.place}${path.sep}`));
    return [
      ...(same ? [{ path: ['report', kind], message: `${template} is already report.${same.kind}` }] : []),
      ...(folder
        ? [
            {
              path: ['report', kind],
              message: `${template} would be inside ${folder.template}, which is the file of report.${folder.kind}`,
            },
          ]
        : []),
    ];
  });
}

/** Object names are compared exactly. */
function placeOf(template: string): string {
  return isStoreAddress(template) ? template : path.normalize(template).toLowerCase();
}

/** One index lists the pages of all windows, so they must be in one folder. */
function pagesTogether({ report: { page = '' } }: JobDefinition): Problem[] {
  return path.dirname(page).includes('{window}')
    ? [
        {
          path: ['report', 'page'],
          message: `${page} has {window} in the name of a folder, but index.html beside the page lists all windows; use it in the file's name only`,
        },
      ]
    : [];
}

function ranksNeeded({ score, sink, report }: JobDefinition): Problem[] {
  if (sink.layout === 'wide') return [];
  const needing = [
    ...(report.table === undefined ? [] : ['table']),
    ...REPORT_KINDS.filter((kind) => report[kind] !== undefined),
    ...(report.summary_table !== undefined && score.bands.by === 'share' ? ['summary_table'] : []),
  ];
  const wideOnly = [
    ...(score.reasons === undefined ? [] : [['score', 'reasons']]),
    ...(report.holdout === undefined ? [] : [['report', 'holdout']]),
  ].map((path) => ({ path, message: `only the wide layout has a column for it, and sink.layout is ${sink.layout}` }));
  const problems = needing.map((key) => ({
    path: ['report', key],
    message:
      key === 'summary_table'
        ? `bands by share need ranks, and sink.layout: ${sink.layout} has none; use thresholds in score.bands, or the wide layout`
        : `a report needs ranks, and sink.layout: ${sink.layout} has none; leave it out, or use the wide layout`,
  }));
  return [...problems, ...wideOnly];
}

function decilesForLabels({ sink, labels }: JobDefinition): Problem[] {
  if (labels === undefined || sink.layout === 'wide') return [];
  return [
    {
      path: ['labels'],
      message: `an evaluation needs deciles, and sink.layout: ${sink.layout} has none; leave labels out, or use the wide layout`,
    },
  ];
}

function evaluationGatesHaveLabels({ gates, labels }: JobDefinition): Problem[] {
  if (labels !== undefined) return [];
  return (['min_auc', 'max_calibration_error'] as const)
    .filter((gate) => gates[gate] !== undefined)
    .map((gate) => ({ path: ['gates', gate], message: `${gate} needs known outcomes, and the job has no labels` }));
}

function slimTableIsOwn({ sink }: JobDefinition): Problem[] {
  if (sink.layout !== 'slim' || !sink.shared_tables) return [];
  return [
    {
      path: ['sink', 'shared_tables'],
      message: 'rows of the slim layout do not name their job, so jobs cannot share such a table; use the narrow layout',
    },
  ];
}

/** Slices read users that changed; here a row is an event, with features as of its own time. */
function noSlicesOfEvents({ source, incremental }: JobDefinition): Problem[] {
  if (source.events === undefined || incremental === undefined) return [];
  return [
    {
      path: ['incremental'],
      message: 'an event does not change once it is scored, so a job on events has no slices; leave incremental out',
    },
  ];
}

function unloadSupported({ source }: JobDefinition): Problem[] {
  const kind = warehouseKind(source.warehouse);
  // Another check reports a warehouse of an unsupported kind.
  if (!source.unload || kind === undefined || kind === 'snowflake') return [];
  return [
    { path: ['source', 'unload'], message: `only Snowflake can unload rows, and the source is ${kind}; leave unload out` },
  ];
}

function keyOf(name: TableName): string {
  return JSON.stringify(name).toLowerCase();
}
