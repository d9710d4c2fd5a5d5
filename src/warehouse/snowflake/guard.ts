import { ScoreBatchError } from '../../errors.ts';
import { registerSecret, registerSecretsIn } from '../../secrets.ts';
import { foreignAnswer } from '../foreign-answer.ts';
import type { Answered, HttpClient, Sent } from './transport.ts';

// Checks that the driver lacks: targets of redirects, secrets in requests and answers, answers that are not Snowflake's, and
// column names that break the driver.

/** Call once, before `retryHere`, so that answers that are not Snowflake's are retried. */
export function guard(client: HttpClient): void {
  client.interceptors.request.use((config) => {
    const { url = '' } = config;
    config.beforeRedirect = (target) => refuseOtherHost(url, target);
    registerSecret(/Token="([^"]+)"/.exec(headerOf(config, 'Authorization'))?.[1]);
    if (isSessionRequest(url)) registerSecretsIn(config.data);
    return config;
  });
  client.interceptors.response.use(
    (response) => {
      const { config } = response;
      const text = typeof response.data === 'string' ? response.data : '';
      // Result chunks come from cloud storage in another format.
      if (!/^application\/(snowflake|json)$/.test(headerOf(config, 'Accept'))) return response;
      const contentType = response.headers?.['content-type'];
      const body = /application\/json/i.test(String(contentType)) ? parsed(text) : undefined;
      if (body === undefined || !hasRows(body)) {
        const { url: address = '' } = config;
        throw Object.assign(foreignAnswer('Snowflake', { address, status: response.status ?? 200, contentType }), { config });
      }
      if (isSessionRequest(config.url) || text.includes('"stageInfo"')) registerSecretsIn(body);
      refuseNames(body);
      // Saves the driver parsing it again. For uploads the driver needs the text, from which it reads 64-bit numbers.
      if (!text.includes('smkId')) response.data = body;
      return response;
    },
    (error) => {
      throw error;
    },
  );
}

/** Target of a redirect; follow-redirects passes it before following. */
interface RedirectTarget {
  readonly protocol?: string | null;
  readonly host?: string | null;
  readonly hostname?: string | null;
  readonly port?: string | number | null;
}

/** A redirected login would send its password or token again, so it must stay on the same host. */
function refuseOtherHost(address: string, { protocol, hostname, port }: RedirectTarget): void {
  const from = new URL(address);
  const to = new URL(`${protocol}//${hostname}${port ? `:${port}` : ''}`);
  if (to.origin === from.origin) return;
  throw new ScoreBatchError('unavailable', `${from.host} redirects to ${to.host}; no credentials were sent there`, {
    hint: 'check the network for a proxy or captive portal, and the account in the URL',
  });
}

function isSessionRequest(url = ''): boolean {
  return url.includes('/session/');
}

function headerOf({ headers }: Sent, name: string): string {
  const value = headers?.[name] ?? headers?.[name.toLowerCase()];
  return typeof value === 'string' ? value : '';
}

function parsed(text: string): Answered | undefined {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null && !Array.isArray(body) ? body : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the rows are well-formed: the driver reads them where its exceptions cannot be caught. */
function hasRows({ data }: Answered): boolean {
  const { rowset, rowtype } = data ?? {};
  if (rowset === undefined || rowset === null) return true;
  if (!Array.isArray(rowset) || !Array.isArray(rowtype)) return false;
  const width = rowtype.length;
  return rowset.every((row) => Array.isArray(row) && row.length === width && row.every(isCell));
}

function isCell(cell: unknown): boolean {
  return cell === null || typeof cell === 'string';
}

/** Members of every JavaScript object: the driver uses column names as keys of a plain object, and fails on these. */
const NAMES = Object.getOwnPropertyNames(Object.prototype);

function refuseNames({ data }: Answered): void {
  const columns = Array.isArray(data?.rowtype) ? data.rowtype : [];
  const found = columns.map((column) => String(column?.name)).find((name) => NAMES.includes(name));
  if (found === undefined) return;
  throw new ScoreBatchError('configuration', `Snowflake's driver cannot read a column named ${found}`, {
    hint: `rename it in the query: "${found}" as "${found}_"`,
  });
}
