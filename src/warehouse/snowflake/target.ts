import { showUrl } from '../../domain/warehouse-kind.ts';
import { ScoreBatchError } from '../../errors.ts';
import { didYouMean } from '../../suggest.ts';

/** What a Snowflake URL names; names as written, see `identifier`. */
export interface Target {
  readonly account: string;
  readonly database: string;
  readonly schema: string;
  readonly warehouse: string | undefined;
  readonly role: string | undefined;
  /** Name of a connection of `connections.toml` that has the credentials. */
  readonly connection: string | undefined;
}

const PARAMETERS = ['warehouse', 'role', 'connection'] as const;
const FORM = 'snowflake://account/database/schema?warehouse=W&role=R';

/**
 * `snowflake://account/database/schema?warehouse=W&role=R` → its parts.
 *
 * @throws ScoreBatchError `configuration` where the URL is no such thing
 */
export function parseTarget(text: string): Target {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.username || url?.password) {
    throw new ScoreBatchError('configuration', 'the Snowflake URL has a user or a password in it', {
      hint: 'take them out: score-batch reads credentials from SNOWFLAKE_USER and its kin, or from connections.toml',
    });
  }
  const parts = decoded(url?.pathname.slice(1).split('/') ?? []);
  const [database = '', schema = ''] = parts ?? [];
  if (url === undefined || url.hostname === '' || parts?.length !== 2 || database === '' || schema === '' || url.hash !== '') {
    throw new ScoreBatchError('configuration', `${showUrl(text)} is no Snowflake URL`, { hint: `write it like ${FORM}` });
  }
  for (const name of url.searchParams.keys()) {
    if ((PARAMETERS as readonly string[]).includes(name)) continue;
    throw new ScoreBatchError('configuration', `the Snowflake URL has an unknown parameter ${name}`, {
      hint: didYouMean(name, PARAMETERS),
    });
  }
  const parameter = (name: (typeof PARAMETERS)[number]) => url.searchParams.get(name) || undefined;
  return {
    account: url.host,
    database,
    schema,
    warehouse: parameter('warehouse'),
    role: parameter('role'),
    connection: parameter('connection'),
  };
}

function decoded(parts: readonly string[]): string[] | undefined {
  try {
    return parts.map(decodeURIComponent);
  } catch {
    return undefined;
  }
}
