import { type AuthClient, type GoogleAuth, PassThroughClient } from 'google-auth-library';
import { registerSecret, registerSecretsIn } from '../../secrets.ts';
import { foreignAnswer } from '../foreign-answer.ts';
import { checkKeyFile } from './key-file.ts';

/** Finds the credentials when the first request needs them. @param auth of Google's BigQuery client */
export function findAuth(auth: Pick<GoogleAuth, 'getClient'>, emulator: boolean): () => Promise<AuthClient> {
  const anonymous = new PassThroughClient();
  if (emulator) return async () => guarded(anonymous);
  return async () => {
    await checkKeyFile(process.env);
    return guarded(await auth.getClient());
  };
}

/** HTTP layer of Google's authentication; both installed versions of the library have this shape. */
interface Transporter {
  readonly interceptors: { readonly request: Set<unknown>; readonly response: Set<unknown> };
}

interface HeaderSource {
  getRequestHeaders(url?: string | URL): Promise<Headers>;
}

interface TokenRequest {
  redirect?: string;
  readonly url?: string | URL;
  readonly method?: string;
  readonly responseType?: string;
  readonly headers: Headers;
  readonly data?: unknown;
}

interface TokenAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly config: TokenRequest;
  readonly data?: unknown;
}

const seen = new WeakSet<object>();

/**
 * Keeps the client and its inner clients from following redirects, which would send a key or token to another host.
 * Registers every token as a secret, so that no message shows one.
 */
export function guarded<T extends HeaderSource>(client: T): T {
  guardParts(client, 0);
  if (seen.has(client)) return client;
  seen.add(client);
  const original = client.getRequestHeaders.bind(client);
  Object.assign(client, {
    async getRequestHeaders(url?: string | URL): Promise<Headers> {
      const headers = await original(url);
      keepBearer(headers);
      return headers;
    },
  });
  return client;
}

/** Depth of nested clients: an impersonation has a source client, which has a token exchange. */
const MAX_DEPTH = 4;

function guardParts(part: unknown, depth: number): void {
  if (typeof part !== 'object' || part === null || depth > MAX_DEPTH) return;
  if (isTransporter(part)) guardTransporter(part);
  else for (const inner of Object.values(part)) guardParts(inner, depth + 1);
}

function isTransporter(part: object): part is Transporter {
  const { interceptors } = part as Partial<Transporter>;
  return interceptors?.request instanceof Set && interceptors.response instanceof Set;
}

function guardTransporter(transporter: Transporter): void {
  if (seen.has(transporter)) return;
  seen.add(transporter);
  transporter.interceptors.request.add({
    resolved: async (request: TokenRequest) => {
      request.redirect = 'manual';
      keepBearer(request.headers);
      registerSecretsIn(request.data instanceof URLSearchParams ? Object.fromEntries(request.data) : request.data);
      return request;
    },
  });
  transporter.interceptors.response.add({
    resolved: async (answer: TokenAnswer) => {
      refuseForeign(answer);
      registerSecretsIn(answer.data);
      return answer;
    },
    rejected: async (error: { readonly response?: TokenAnswer }) => {
      if (error.response !== undefined && error.response.status >= 400) refuseForeign(error.response);
      throw error;
    },
  });
}

/** The library would accept a captive portal's HTML as a token. Our own requests ask for text and are checked elsewhere. */
function refuseForeign({ config, data, status, headers }: TokenAnswer): void {
  if (config.method !== 'POST' || config.responseType === 'text' || (typeof data === 'object' && data !== null)) return;
  throw foreignAnswer('Google', { address: String(config.url), status, contentType: headers.get('content-type') });
}

function keepBearer(headers: Headers): void {
  registerSecret(/^Bearer (.+)$/i.exec(headers.get('authorization') ?? '')?.[1]);
}
