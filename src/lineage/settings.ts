import { registerSecret } from '../secrets.ts';

/** The run of another system that started this one. */
export interface ParentRun {
  readonly namespace: string;
  readonly name: string;
  /** UUID. */
  readonly runId: string;
}

export interface LineageSettings {
  /** Address for posting events, without user and password. */
  readonly url: URL;
  /** Value of the Authorization header; undefined for none. */
  readonly authorization: string | undefined;
  /** Namespace of the job. */
  readonly namespace: string;
  readonly parent: ParentRun | undefined;
  /** The run that started the parent, if known. */
  readonly root: ParentRun | undefined;
  /** Problems with variables that are ignored. */
  readonly warnings: readonly string[];
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * Settings from the variables of OpenLineage clients: OPENLINEAGE_URL, OPENLINEAGE_ENDPOINT, OPENLINEAGE_API_KEY,
 * OPENLINEAGE_NAMESPACE, OPENLINEAGE_PARENT_ID, OPENLINEAGE_ROOT_PARENT_ID, OPENLINEAGE_DISABLED.
 *
 * @returns undefined if there is no URL, or lineage is switched off; a sentence if the URL is unusable
 */
export function lineageSettings(environment: NodeJS.ProcessEnv): LineageSettings | string | undefined {
  const { OPENLINEAGE_URL: text = '', OPENLINEAGE_DISABLED: disabled } = environment;
  if (text.trim() === '' || disabled?.trim().toLowerCase() === 'true') return undefined;
  const base = URL.canParse(text.trim()) ? new URL(text.trim()) : undefined;
  if (base === undefined || !/^https?:$/.test(base.protocol)) return 'OPENLINEAGE_URL is not an http or https URL';
  const [username, password] = [decoded(base.username), decoded(base.password)];
  const key = environment.OPENLINEAGE_API_KEY?.trim() || undefined;
  for (const secret of [base.password, password, key]) registerSecret(secret || undefined);
  const warnings: string[] = [];
  const parentOf = (name: string): ParentRun | undefined => {
    const value = environment[name]?.trim();
    const parent = value ? parseParent(value) : undefined;
    if (value && parent === undefined) warnings.push(`${name} does not have the form namespace/name/run, with a UUID as run`);
    return parent;
  };
  const basic = username === '' ? undefined : `${username}:${password}`;
  const endpoint = environment.OPENLINEAGE_ENDPOINT?.trim() || 'api/v1/lineage';
  return {
    url: joined(base, endpoint),
    authorization: key ? `Bearer ${key}` : basic && `Basic ${Buffer.from(basic).toString('base64')}`,
    namespace: environment.OPENLINEAGE_NAMESPACE?.trim() || 'default',
    parent: parentOf('OPENLINEAGE_PARENT_ID'),
    root: parentOf('OPENLINEAGE_ROOT_PARENT_ID'),
    warnings,
  };
}

/** `https://host/base` and `api/v1/lineage` → `https://host/base/api/v1/lineage`. */
function joined(base: URL, endpoint: string): URL {
  const url = new URL(base);
  url.username = '';
  url.password = '';
  const [path = '', query] = endpoint.split('?', 2);
  url.pathname = `${base.pathname.replace(/\/+$/, '')}/${path.replace(/^\/+/, '')}`;
  if (query !== undefined) url.search = query;
  url.hash = '';
  return url;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** `namespace/name/run`; the namespace may be a URL, so split off the last two parts. */
function parseParent(text: string): ParentRun | undefined {
  const [, namespace, name, runId] = /^(.+)\/([^/]+)\/([^/]+)$/.exec(text) ?? [];
  if (namespace === undefined || name === undefined || runId === undefined || !UUID.test(runId)) return undefined;
  return { namespace, name, runId };
}
