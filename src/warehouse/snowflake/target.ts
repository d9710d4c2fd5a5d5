import { showUrl } from '../../domain/warehouse-kind.ts';
import { ScoreBatchError } from '../../errors.ts';
import { didYouMean } from '../../suggest.ts';

/** The parts of a Snowflake URL; names as written, see `identifier`. */
export interface Target {
  readonly account: string;
  readonly database: string;
  readonly schema: string;
  readonly warehouse: string | undefined;
  readonly role: string | undefined;
  /** Connection in `connections.toml` with the credentials. */
  readonly connection: string | undefined;
}

const PARAMETERS = ['warehouse', 'role', 'connection'] as const;
const FORM = 'snowflake://account/database/schema?warehouse=W&role=R';

/**
 * Parses `snowflake://account/database/schema?warehouse=W&role=R`.
 *
 * @throws ScoreBatchError `configuration` if the URL is not valid
 */
export function parseTarget(text: string): Target {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.username || url?.password) {
    throw new ScoreBatchError('configuration', 'the Snowflake URL contains a user or a password', {
      hint: 'remove them: score-batch reads credentials from the SNOWFLAKE_ variables or from connections.toml',
    });
  }
  const parts = decoded(url?.pathname.slice(1).split('/') ?? []);
  const [database = '', schema = ''] = parts ?? [];
  if (url === undefined || url.hostname === '' || parts?.length !== 2 || database === '' || schema === '' || url.hash !== '') {
    throw new ScoreBatchError('configuration', `${showUrl(text)} is not a valid Snowflake URL`, {
      hint: `write it like ${FORM}`,
    });
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
