import path from 'node:path';
import type { TableName } from '../domain/table-name.ts';
import { warehouseKind } from '../domain/warehouse-kind.ts';
import { fullName } from '../warehouse/bigquery/names.ts';
import { parseUrl } from '../warehouse/bigquery/url.ts';
import { located, stored } from '../warehouse/snowflake/names.ts';
import { parseTarget } from '../warehouse/snowflake/target.ts';
import type { DatasetName } from './facets.ts';

/**
 * Names of warehouse tables in lineage, by OpenLineage's naming conventions. These do not cover DuckDB; as in dbt's lineage,
 * its namespace is `duckdb://` and the path of the file.
 *
 * @param url of the warehouse, already accepted by the plan
 * @param root of the project
 */
export function tableNaming(url: string, root: string): (table: TableName) => DatasetName {
  switch (warehouseKind(url)) {
    case 'bigquery': {
      const home = parseUrl(url);
      return (name) => {
        const { project, dataset, table } = fullName(name, home);
        return { namespace: 'bigquery', name: `${project}.${dataset}.${table}` };
      };
    }
    case 'snowflake': {
      const target = parseTarget(url);
      const namespace = `snowflake://${snowflakeAccount(target.account)}`;
      return (name) => ({ namespace, name: located(name, target).map(stored).join('.') });
    }
    default: {
      const file = path.resolve(root, url.slice('duckdb:'.length).replace(/^\/\/(?=\/)/, ''));
      // DuckDB's name for the file.
      const [catalog = ''] = path.basename(file).split('.');
      return (name) => ({ namespace: `duckdb://${file}`, name: duckdbName(name, catalog).join('.') });
    }
  }
}

/** The first of two parts is a schema, or the file itself. */
function duckdbName(name: TableName, catalog: string): TableName {
  const [table = '', schema, database] = [...name].reverse();
  if (database !== undefined) return name;
  return schema === undefined || schema.toLowerCase() === catalog.toLowerCase()
    ? [catalog, 'main', table]
    : [catalog, schema, table];
}

/**
 * `organization-account`, or an account locator with region and cloud; if these are missing, those of Snowflake's first region.
 * Unlike names in SQL, accounts are case-insensitive.
 */
function snowflakeAccount(account: string): string {
  const [id = '', region, cloud, ...more] = account
    .toLowerCase()
    .replace(/\.snowflakecomputing\.com(:\d+)?$/, '')
    .split('.');
  if (region === undefined && id.includes('-')) return id;
  return [id, region ?? 'us-west-1', cloud ?? 'aws', ...more].join('.');
}

/** A report file: a path, or an object of a store such as `gs://bucket/key`. */
export function fileDataset(file: string): DatasetName {
  const [, namespace, key] = /^((?:gs|s3):\/\/[^/]+)\/(.+)$/.exec(file) ?? [];
  return namespace === undefined || key === undefined ? { namespace: 'file', name: file } : { namespace, name: key };
}
