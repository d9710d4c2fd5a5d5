export const SIGNALS = ['traces', 'metrics'] as const;
export type Signal = (typeof SIGNALS)[number];

const PREFIX = 'OTEL_EXPORTER_OTLP';
const PROTOCOL = 'http/protobuf';
const ATTRIBUTES = 'OTEL_RESOURCE_ATTRIBUTES';

/** Maximum length of a name or a value. */
const MOST_CHARACTERS = 255;

/** The signals that the environment asks for, and the problems of variables with unusable values. */
export interface Wanted {
  readonly signals: readonly Signal[];
  readonly problems: readonly string[];
}

/**
 * Reads which signals have an endpoint, by the specification of OpenTelemetry's exporters. The exporters read everything else
 * (headers, certificates, compression) themselves.
 */
export function wantedSignals(environment: NodeJS.ProcessEnv): Wanted {
  const problems = new Set<string>();
  const signals = SIGNALS.filter((signal) => {
    const endpoint = variable(environment, signal, 'ENDPOINT');
    if (endpoint === undefined || environment[`OTEL_${signal.toUpperCase()}_EXPORTER`] === 'none') return false;
    const problem = problemOf(endpoint, variable(environment, signal, 'PROTOCOL'));
    if (problem !== undefined) problems.add(problem);
    return problem === undefined;
  });
  if (signals.length > 0 && !isAttributes(environment[ATTRIBUTES] ?? ''))
    problems.add(
      `${ATTRIBUTES} is ignored: it must be name=value,name=value, with names and values of at most ${MOST_CHARACTERS} ` +
        'characters in which "=", "," and "%" are percent-encoded',
    );
  return { signals, problems: [...problems] };
}

/** Whether OpenTelemetry's packages can read the attributes. If not, they silently drop all, as the specification says. */
export function isAttributes(text: string): boolean {
  const entries = text.split(',').filter((entry) => entry.trim() !== '');
  return entries.every((entry) => {
    const parts = entry.split('=').map((part) => decodedOrNot(part.trim()));
    const isShort = parts.every((part) => part !== undefined && part.length <= MOST_CHARACTERS);
    return parts.length === 2 && parts[0] !== '' && isShort;
  });
}

/** Values that must not be shown: headers, and passwords in addresses. */
export function secretsIn(environment: NodeJS.ProcessEnv): string[] {
  const names = ['', ...SIGNALS.map((signal) => `_${signal.toUpperCase()}`)];
  const headers = names.flatMap((name) => (environment[`${PREFIX}${name}_HEADERS`] ?? '').split(','));
  const values = headers.map((header) => header.slice(header.indexOf('=') + 1).trim());
  // `Bearer TOKEN`: also the token alone.
  const tokens = values.flatMap((value) => [value, decoded(value), ...decoded(value).split(' ').slice(1)]);
  const passwords = names.flatMap((name) => {
    const address = environment[`${PREFIX}${name}_ENDPOINT`] ?? '';
    return URL.canParse(address) ? [new URL(address).password, decoded(new URL(address).password)] : [];
  });
  return [...tokens, ...passwords].filter((text) => text !== '');
}

interface Variable {
  readonly name: string;
  readonly value: string;
}

/** The variable for this signal, otherwise the one for all. */
function variable(environment: NodeJS.ProcessEnv, signal: Signal, what: string): Variable | undefined {
  for (const name of [`${PREFIX}_${signal.toUpperCase()}_${what}`, `${PREFIX}_${what}`]) {
    const value = environment[name]?.trim();
    if (value) return { name, value };
  }
  return undefined;
}

function problemOf(endpoint: Variable, protocol: Variable | undefined): string | undefined {
  // Do not show it: it may hold a password.
  if (!URL.canParse(endpoint.value) || !/^https?:$/.test(new URL(endpoint.value).protocol))
    return `${endpoint.name} must begin with http:// or https://`;
  if (protocol === undefined || protocol.value === PROTOCOL) return undefined;
  return `${protocol.name}=${protocol.value} is not supported; use ${PROTOCOL}, as port 4318 of a collector takes it`;
}

function decoded(text: string): string {
  return decodedOrNot(text) ?? text;
}

/** The decoded string; undefined if its percent-encoding is malformed. */
function decodedOrNot(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
