import { type AuthClient, GoogleAuth, PassThroughClient } from 'google-auth-library';
import { keepSecret, keepSecretsIn } from '../../secrets.ts';
import { foreignAnswer } from '../foreign-answer.ts';
import { checkKeyFile } from './key-file.ts';

/** As Google's own client for the Storage API asks for. */
export const SCOPES = ['https://www.googleapis.com/auth/bigquery', 'https://www.googleapis.com/auth/cloud-platform'];

/** Finds who asks, once, when the first request needs it. */
export function findAuth(emulator: boolean): () => Promise<AuthClient> {
  if (emulator) return async () => new PassThroughClient();
  const auth = new GoogleAuth({ scopes: SCOPES });
  return async () => {
    await checkKeyFile(process.env);
    return guarded(await auth.getClient());
  };
}

/** The parts of a client of Google's authentication that are guarded; two versions of the library have the same ones. */
interface Guardable {
  getRequestHeaders(url?: string | URL): Promise<Headers>;
  readonly transporter: {
    readonly interceptors: {
      readonly request: Set<unknown>;
      readonly response: Set<unknown>;
    };
  };
  /** Of an impersonation. */
  readonly sourceClient?: unknown;
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
 * Has the client follow no redirect, since on another host it would repeat a key or a token in its body, and keeps every
 * token that it gets, so that no message shows one.
 */
export function guarded<T extends object>(client: T): T {
  if (seen.has(client)) return client;
  seen.add(client);
  const { transporter, sourceClient } = client as unknown as Guardable;
  transporter.interceptors.request.add({
    resolved: async (request: TokenRequest) => {
      request.redirect = 'manual';
      keepBearer(request.headers);
      keepSecretsIn(request.data instanceof URLSearchParams ? Object.fromEntries(request.data) : request.data);
      return request;
    },
  });
  transporter.interceptors.response.add({
    resolved: async (answer: TokenAnswer) => {
      const { config, data, status, headers } = answer;
      // The library would take a captive portal's HTML for a token. What this program reads itself comes as text.
      if (config.method === 'POST' && config.responseType !== 'text' && (typeof data !== 'object' || data === null)) {
        throw foreignAnswer('Google', { address: String(config.url), status, contentType: headers.get('content-type') });
      }
      keepSecretsIn(data);
      return answer;
    },
    rejected: async (error: { readonly response?: TokenAnswer }) => {
      const { response } = error;
      if (response?.config.method !== 'POST' || response.status < 400) throw error;
      if (typeof response.data === 'object' && response.data !== null) throw error;
      const { status, headers, config } = response;
      throw foreignAnswer('Google', { address: String(config.url), status, contentType: headers.get('content-type') });
    },
  });
  const original = (client as unknown as Guardable).getRequestHeaders.bind(client);
  Object.assign(client, {
    async getRequestHeaders(url?: string | URL): Promise<Headers> {
      const headers = await original(url);
      keepBearer(headers);
      return headers;
    },
  });
  if (typeof sourceClient === 'object' && sourceClient !== null) guarded(sourceClient);
  return client;
}

function keepBearer(headers: Headers): void {
  keepSecret(/^Bearer (.+)$/i.exec(headers.get('authorization') ?? '')?.[1]);
}
