import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';

// A server that says to the real driver what Snowflake is documented to say, where the emulator cannot: logins, rights, locks,
// outages. What the driver sends is recorded. Nothing here was compared with an account: these answers are unproven.

interface RecordedRequest {
  readonly path: string;
  readonly query: URLSearchParams;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the driver sends
  readonly body: any;
}

/** What the server answers to a statement or a login. */
export type Answer =
  | { readonly rows: readonly (readonly (string | null)[])[]; readonly columns?: readonly string[] }
  | { readonly code: string; readonly message: string; readonly sqlState?: string }
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  /** Whatever a proxy or a server that is ill may answer. */
  | { readonly raw: string; readonly contentType: string; readonly status?: number }
  /** The statement runs, and its answer never arrives. */
  | 'drop'
  /** The statement runs on: so often the driver is told to ask again, each time after that many milliseconds. */
  | { readonly running: number; readonly times: number }
  /** Rows that are fetched from another address, of which some never arrive. */
  | { readonly chunk: string; readonly promised: number };

export interface FakeSnowflake {
  readonly url: string;
  readonly requests: RecordedRequest[];
  /** SQL of all statements, without the ALTER SESSION that begins each session. */
  statements(): string[];
  logins(): RecordedRequest[];
}

export interface Script {
  readonly login?: (attempt: number) => Answer | undefined;
  /** @param count how often this very SQL came before */
  readonly statement?: (sql: string, count: number, body: RecordedRequest['body']) => Answer | undefined;
  readonly renew?: () => Answer | undefined;
}

const OK: Answer = { rows: [['Statement executed successfully.']] };

/** The secrets that a server gives and that no error may show. */
export const SESSION_TOKEN = 'session-token-9f31';
export const MASTER_TOKEN = 'master-token-77aa';

export async function fakeSnowflake(script: Script = {}): Promise<FakeSnowflake> {
  const requests: RecordedRequest[] = [];
  const counts = new Map<string, number>();
  const answerTo = (request: RecordedRequest, response: ServerResponse, url: string) => {
    if (request.path.endsWith('/login-request')) {
      const attempt = requests.filter(({ path }) => path.endsWith('/login-request')).length;
      send(response, script.login?.(attempt) ?? LOGIN, url);
    } else if (request.path === '/session/token-request') {
      send(response, script.renew?.() ?? LOGIN, url);
    } else if (request.path === '/queries/v1/query-request') {
      const sql = String(request.body.sqlText);
      const count = counts.get(sql) ?? 0;
      counts.set(sql, count + 1);
      send(response, (sql.startsWith('ALTER SESSION') ? undefined : script.statement?.(sql, count, request.body)) ?? OK, url);
    } else if (request.path === '/running') {
      const [running, times] = [Number(request.query.get('running')), Number(request.query.get('times'))];
      send(response, times === 0 ? OK : { running, times }, url);
    } else if (request.path.startsWith('/chunk/')) {
      response.end(decodeURIComponent(request.path.slice('/chunk/'.length)));
    } else {
      sendJson(response, { success: true, data: null });
    }
  };
  const server = createServer((message, response) => {
    void bodyOf(message).then((body) => {
      const url = new URL(message.url ?? '', 'http://localhost');
      const request = { path: url.pathname, query: url.searchParams, body };
      requests.push(request);
      answerTo(request, response, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    statements: () =>
      requests
        .filter(({ path, body }) => path === '/queries/v1/query-request' && !String(body.sqlText).startsWith('ALTER SESSION'))
        .map(({ body }) => String(body.sqlText)),
    logins: () => requests.filter(({ path }) => path.endsWith('/login-request')),
  };
}

/** Stands for the data of a login that succeeds. */
const LOGIN: Answer = { rows: [] };

function send(response: ServerResponse, answer: Answer, url: string): void {
  if (answer === 'drop') {
    response.destroy();
  } else if (answer === LOGIN) {
    sendJson(response, { success: true, data: LOGIN_DATA });
  } else if ('raw' in answer) {
    response.writeHead(answer.status ?? 200, { 'content-type': answer.contentType }).end(answer.raw);
  } else if ('status' in answer) {
    response.writeHead(answer.status, answer.headers).end('{}');
  } else if ('code' in answer) {
    const { code, message, sqlState = '42000' } = answer;
    sendJson(response, { success: false, code, message, data: { errorCode: code, sqlState } });
  } else if ('running' in answer) {
    const { running, times } = answer;
    const getResultUrl = `/running?running=${running}&times=${times - 1}`;
    setTimeout(() => sendJson(response, { success: true, code: '333333', data: { queryId: '1', getResultUrl } }), running);
  } else if ('chunk' in answer) {
    const chunks = [{ url: `${url}/chunk/${encodeURIComponent(answer.chunk)}`, rowCount: answer.promised }];
    sendJson(response, { success: true, data: { ...resultOf(['X'], answer.promised), rowset: [], chunks } });
  } else {
    const columns = answer.columns ?? (answer.rows[0] ?? ['x']).map((_, i) => `C${i}`);
    sendJson(response, { success: true, data: { ...resultOf(columns, answer.rows.length), rowset: answer.rows } });
  }
}

function sendJson(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

const LOGIN_DATA = {
  token: SESSION_TOKEN,
  masterToken: MASTER_TOKEN,
  sessionToken: SESSION_TOKEN,
  validityInSeconds: 3600,
  masterValidityInSeconds: 14400,
  validityInSecondsST: 3600,
  validityInSecondsMT: 14400,
  sessionId: 1,
  parameters: [],
};

function resultOf(columns: readonly string[], rows: number): Record<string, unknown> {
  return {
    parameters: [],
    rowtype: columns.map((name) => ({ name, type: 'text', nullable: true, length: 100, scale: null, precision: null })),
    total: rows,
    returned: rows,
    queryId: '01b00000-0000-0000-0000-000000000001',
    queryResultFormat: 'json',
    version: 1,
    statementTypeId: 4096,
  };
}

async function bodyOf(message: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  for await (const part of message) parts.push(part as Buffer);
  const body = Buffer.concat(parts);
  const text = String(message.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body);
  return text === '' ? {} : JSON.parse(text);
}
