import { randomBytes } from 'node:crypto';
import { showTableName, type TableName } from '../../domain/table-name.ts';
import { ScoreBatchError } from '../../errors.ts';
import { comment } from './comment.ts';
import { snowflakeError } from './errors.ts';
import { Failure } from './failure.ts';
import { tableIdentifier } from './names.ts';
import { queryTag } from './session.ts';
import { inAccount, run, type Snowflake, scratchName } from './snowflake.ts';
import { schemaExists, tableExists } from './tables.ts';
import { copyInto } from './unload.ts';

/** A permission that a run needs, the statement that proves it and the grant that gives it. */
interface Permission {
  readonly what: string;
  readonly prove: () => Promise<unknown>;
  readonly grant: string;
}

/** Proves that the role can run queries, and create and drop a frozen table. @returns findings, for the user */
export async function probeSource(snowflake: Snowflake): Promise<string> {
  await prove(snowflake, connectPermissions(snowflake));
  if (!(await schemaExists(snowflake, snowflake.scratch)))
    return `${shown(snowflake)} can be read; ${absent(snowflake.scratch)}`;
  const permissions = scratchPermissions(snowflake).slice(0, 1);
  await prove(snowflake, snowflake.unload ? [...permissions, unloadPermission(snowflake)] : permissions);
  const found = `${shown(snowflake)} can be read; frozen tables go to ${showTableName(snowflake.scratch)}`;
  return snowflake.unload ? `${found}, and chunks can be unloaded there` : found;
}

/**
 * Proves that the role can stage and load files, and that it can change the rows of the job's tables or create missing
 * tables.
 *
 * @param targets names of the job's tables
 * @returns findings, for the user
 */
export async function probeSink(snowflake: Snowflake, targets: readonly TableName[]): Promise<string> {
  await prove(snowflake, connectPermissions(snowflake));
  const found = new Set<string>();
  if (await schemaExists(snowflake, snowflake.scratch)) {
    await prove(snowflake, scratchPermissions(snowflake));
    found.add(`staging is in ${showTableName(snowflake.scratch)}`);
  } else found.add(absent(snowflake.scratch));
  for (const target of targets) {
    const { name } = inAccount(snowflake, { name: target });
    const schema = name.slice(0, -1);
    if (!(await schemaExists(snowflake, name))) {
      found.add(absent(schema));
      continue;
    }
    found.add(`tables can be written in ${showTableName(schema)}`);
    await prove(snowflake, [
      (await tableExists(snowflake, name)) ? writePermission(snowflake, name) : createPermission(snowflake, name),
    ]);
  }
  return `${shown(snowflake)}: ${[...found].join('; ')}`;
}

/** The probe does not create the schema. */
function absent(schema: TableName): string {
  return `the schema ${showTableName(schema)} does not exist yet; the first run creates it if the role has create schema on the database`;
}

/** Changes no row, but fails without the permission to change rows. */
function writePermission({ client, job, target: { role = 'R' } }: Snowflake, name: TableName): Permission {
  const table = showTableName(name);
  return {
    what: `change rows of ${table}`,
    prove: () =>
      client.use((session) => session.rows(`DELETE FROM ${tableIdentifier(name)} WHERE 1 = 0`, { tag: queryTag(job) })),
    grant: `grant select, insert, update, delete on table ${table} to role ${role}`,
  };
}

function createPermission(snowflake: Snowflake, name: TableName): Permission {
  const { role = 'R' } = snowflake.target;
  const schema = name.slice(0, -1);
  const table = tableIdentifier([...schema, `score_batch_probe_${randomBytes(4).toString('hex')}`]);
  return {
    what: `create tables in ${showTableName(schema)}`,
    async prove() {
      await run(snowflake, `CREATE OR REPLACE TRANSIENT TABLE ${table} AS SELECT 1 AS one`);
      await run(snowflake, `DROP TABLE IF EXISTS ${table}`);
    },
    grant: `grant usage, create table on schema ${showTableName(schema)} to role ${role}`,
  };
}

function connectPermissions(snowflake: Snowflake): Permission[] {
  const { warehouse = 'W', role = 'R' } = snowflake.target;
  return [
    {
      what: `use the warehouse ${warehouse}`,
      prove: () => run(snowflake, 'SELECT 1 AS one'),
      grant: `grant usage on warehouse ${warehouse} to role ${role}`,
    },
  ];
}

function scratchPermissions(snowflake: Snowflake): Permission[] {
  const { role = 'R' } = snowflake.target;
  const schema = showTableName(snowflake.scratch);
  const runId = `probe-${randomBytes(4).toString('hex')}`;
  const table = tableIdentifier(scratchName(snowflake, 'probe', runId));
  const mark = comment(snowflake, runId);
  return [
    {
      what: `create tables in ${schema}`,
      prove: async () => {
        await run(snowflake, `CREATE OR REPLACE TRANSIENT TABLE ${table} ${mark} AS SELECT 1 AS one`);
        try {
          await run(snowflake, `UPDATE ${table} SET one = 2`);
        } finally {
          await run(snowflake, `DROP TABLE IF EXISTS ${table}`);
        }
      },
      grant: `grant create table on schema ${schema} to role ${role}`,
    },
    {
      what: `create stages in ${schema}`,
      prove: async () => {
        await run(snowflake, `CREATE OR REPLACE STAGE ${table} ${mark}`);
        try {
          await run(snowflake, `LIST @${table}`);
        } finally {
          await run(snowflake, `DROP STAGE IF EXISTS ${table}`);
        }
      },
      grant: `grant create stage on schema ${schema} to role ${role}`,
    },
  ];
}

/** An account can forbid it for every role: PREVENT_UNLOAD_TO_INTERNAL_STAGES. */
function unloadPermission(snowflake: Snowflake): Permission {
  const { role = 'R' } = snowflake.target;
  const schema = showTableName(snowflake.scratch);
  const runId = `probe-${randomBytes(4).toString('hex')}`;
  const stage = tableIdentifier(scratchName(snowflake, 'probe', runId));
  return {
    what: `unload to a stage in ${schema}`,
    prove: async () => {
      await run(snowflake, `CREATE OR REPLACE STAGE ${stage} ${comment(snowflake, runId)}`);
      try {
        await run(snowflake, copyInto(`${stage}/probe.parquet`, 'SELECT 1 AS one'));
      } finally {
        await run(snowflake, `DROP STAGE IF EXISTS ${stage}`);
      }
    },
    grant: `grant create stage on schema ${schema} to role ${role}; if it has that already, check: show parameters like 'PREVENT_UNLOAD_TO_INTERNAL_STAGES' in account`,
  };
}

async function prove({ target }: Snowflake, permissions: readonly Permission[]): Promise<void> {
  for (const { what, prove: attempt, grant } of permissions) {
    try {
      await attempt();
    } catch (error) {
      // Found before Snowflake checked the permission: missing credentials or connection.
      if (error instanceof ScoreBatchError) throw error;
      const known = snowflakeError(error, target);
      if (error instanceof Failure && (error.login || error.broken)) throw known;
      // Snowflake reports a missing permission as "not found" or "not allowed".
      if (!(known instanceof ScoreBatchError) || (known.kind !== 'permission' && known.kind !== 'configuration')) throw known;
      throw new ScoreBatchError(known.kind, `the role ${target.role ?? 'of the user'} is not allowed to ${what}`, {
        details: known.details,
        hint: grant,
        cause: error,
      });
    }
  }
}

function shown({ target: { account, database, schema, role } }: Snowflake): string {
  return `${account}/${database}/${schema}${role === undefined ? '' : ` as ${role}`}`;
}
