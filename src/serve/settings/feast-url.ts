export const FEAST_FORM = 'write feast://HOST:PORT/SERVICE?entity=JOIN_KEY, or feasts:// for TLS';

/** The parts of a feature URL. */
export interface FeastUrl {
  readonly server: string;
  readonly service: string;
  readonly entities: readonly string[];
}

/** Parses `feast://host:6566/fraud_v1?entity=user_id,shop_id`; undefined for anything else, and for a URL with a password. */
export function parseFeastUrl(text: string): FeastUrl | undefined {
  const found = /^feast(s?):\/\/(.+)$/.exec(text);
  if (found === null) return undefined;
  const http = `http${found[1]}://${found[2]}`;
  if (!URL.canParse(http)) return undefined;
  const { origin, pathname, searchParams, username, password, hash } = new URL(http);
  const parts = pathname.split('/').slice(1).map(decoded);
  const service = parts.at(-1);
  const entities = searchParams.getAll('entity').flatMap((one) => one.split(','));
  const others = [...searchParams.keys()].some((name) => name !== 'entity');
  if (username !== '' || password !== '' || hash !== '' || others) return undefined;
  if (service === undefined || parts.some((part) => part === undefined || part === '')) return undefined;
  if (entities.length === 0 || entities.includes('') || new Set(entities).size < entities.length) return undefined;
  const path = pathname.split('/').slice(1, -1).join('/');
  return { server: path === '' ? origin : `${origin}/${path}`, service, entities };
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
