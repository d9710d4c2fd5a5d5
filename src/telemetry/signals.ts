export const SIGNALS = ['traces', 'metrics'] as const;
export type Signal = (typeof SIGNALS)[number];

const PREFIX = 'OTEL_EXPORTER_OTLP';
const PROTOCOL = 'http/protobuf';

/** The signals that the environment asks for, and the problems of variables that prevent others. */
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
  return { signals, problems: [...problems] };
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
    return `${endpoint.name} is not an address that begins with http:// or https://`;
  if (protocol === undefined || protocol.value === PROTOCOL) return undefined;
  return `${protocol.name}=${protocol.value} is not supported; use ${PROTOCOL}, as port 4318 of a collector takes it`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
