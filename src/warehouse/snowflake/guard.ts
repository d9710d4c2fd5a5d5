import { ScoreBatchError } from '../../errors.ts';
import { keepSecretsIn, registerSecret } from '../../secrets.ts';
import { foreignAnswer } from '../foreign-answer.ts';
import type { Answered, HttpClient, Sent } from './transport.ts';

// What the driver leaves open about its requests and answers: where a redirect leads, which tokens there are, whether it was
// Snowflake that answered, and columns whose names break it.

/** Call once, before `retryHere`: an answer that is not Snowflake's may be asked for again. */
export function guard(client: HttpClient): void {
  client.interceptors.request.use((config) => {
    const { url = '' } = config;
    config.beforeRedirect = (target) => refuseOtherHost(url, target);
    registerSecret(/Token="([^"]+)"/.exec(headerOf(config, 'Authorization'))?.[1]);
    if (isSessionRequest(url)) keepSecretsIn(config.data);
    return config;
  });
  client.interceptors.response.use(
    (response) => {
      const { config } = response;
      const text = typeof response.data === 'string' ? response.data : '';
      // Parts of a result come from elsewhere, in a form of their own.
      if (!/^application\/(snowflake|json)$/.test(headerOf(config, 'Accept'))) return response;
      const contentType = response.headers?.['content-type'];
      const body = /application\/json/i.test(String(contentType)) ? parsed(text) : undefined;
      if (body === undefined || !hasRows(body)) {
        const { url: address = '' } = config;
        throw Object.assign(foreignAnswer('Snowflake', { address, status: response.status ?? 200, contentType }), { config });
      }
      if (isSessionRequest(config.url) || text.includes('"stageInfo"')) keepSecretsIn(body);
      refuseNames(body);
      // So that the driver does not parse it again. Of an upload it must: it reads numbers of 64 bits in the text.
      if (!text.includes('smkId')) response.data = body;
      return response;
    },
    (error) => {
      throw error;
    },
  );
}

/** Where the request would go; follow-redirects calls with this before it follows. */
interface RedirectTarget {
  readonly protocol?: string | null;
  readonly host?: string | null;
  readonly hostname?: string | null;
  readonly port?: string | number | null;
}

/** A login has a password or a token in its body, which is sent again as it is: only where it was meant for. */
function refuseOtherHost(address: string, { protocol, hostname, port }: RedirectTarget): void {
  const from = new URL(address);
  const to = new URL(`${protocol}//${hostname}${port ? `:${port}` : ''}`);
  if (to.origin === from.origin) return;
  throw new ScoreBatchError('unavailable', `${from.host} redirects to ${to.host}, and no credentials are sent there`, {
    hint: 'a proxy or a captive portal may be in the way: look at the network; check the account in the URL',
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

/** Whether what there is of a result is one: the driver reads rows where nobody could catch what it throws. */
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

/** What every object of JavaScript has: the driver keeps columns by their names in such an object, and would fail. */
const NAMES = Object.getOwnPropertyNames(Object.prototype);

function refuseNames({ data }: Answered): void {
  const columns = Array.isArray(data?.rowtype) ? data.rowtype : [];
  const found = columns.map((column) => String(column?.name)).find((name) => NAMES.includes(name));
  if (found === undefined) return;
  throw new ScoreBatchError('configuration', `Snowflake's driver cannot read a column called ${found}`, {
    hint: `give it another name in the query: "${found}" as "${found}_"`,
  });
}
