// Values from credentials, so that no message shows them, even if a server echoes a token or a parser quotes the line that
// it failed on. One list per thread; `error-parts.ts` masks the errors that leave a worker.

const MASK = '[secret]';

/** Shorter values would also mask ordinary words. */
const SHORTEST = 4;

const kept = new Set<string>();
let longestFirst: readonly string[] = [];

/** From now on masks a value, each of its lines, and the encodings that requests and logs use. */
export function registerSecret(value: string | undefined): void {
  if (value === undefined) return;
  const size = kept.size;
  const lines = value.split(/\\n|\r?\n/).map((line) => line.trim());
  for (const text of [value.trim(), ...lines]) {
    // The header and footer of a PEM file are not secret.
    if (text.length < SHORTEST || /^-----[A-Z ]+-----$/.test(text)) continue;
    for (const form of [text, encodeURIComponent(text), JSON.stringify(text).slice(1, -1), base64(text)]) kept.add(form);
  }
  if (kept.size > size) longestFirst = [...kept].sort((a, b) => b.length - a.length);
}

/** Masks every registered secret in a string. */
export function withoutSecrets(text: string): string {
  let masked = text;
  for (const secret of longestFirst) if (masked.includes(secret)) masked = masked.replaceAll(secret, MASK);
  return masked;
}

/** Variables that hold a secret. For those that name a file, the code that reads the file registers its secrets. */
const VARIABLES = [
  'SCORE_BATCH_FEAST_TOKEN',
  'SCORE_BATCH_HASH_KEY',
  'SCORE_BATCH_SERVE_TOKEN',
  'SNOWFLAKE_PASSWORD',
  'SNOWFLAKE_PRIVATE_KEY',
  'SNOWFLAKE_PRIVATE_KEY_PASSPHRASE',
  'SNOWFLAKE_TOKEN',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'MLFLOW_TRACKING_PASSWORD',
  'MLFLOW_TRACKING_TOKEN',
];

const PROXIES = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'];

/** Registers the secrets of the environment, passwords in proxy URLs included. */
export function registerSecretsOf(environment: NodeJS.ProcessEnv): void {
  for (const name of VARIABLES) registerSecret(environment[name]);
  for (const name of PROXIES.flatMap((proxy) => [proxy, proxy.toLowerCase()])) {
    const [, user = '', password] = /^\w+:\/\/([^:@/]*):(.*)@[^@]*$/.exec(environment[name] ?? '') ?? [];
    if (password === undefined) continue;
    registerSecret(password);
    registerSecret(decoded(password));
    // The form of the Proxy-Authorization header.
    registerSecret(base64(`${decoded(user)}:${decoded(password)}`));
  }
}

/** Registers every string in a credentials object whose key names a secret, up to ten levels deep. */
export function registerSecretsIn(value: unknown, depth = 0): void {
  if (typeof value !== 'object' || value === null || depth > 10) return;
  for (const [name, inner] of Object.entries(value)) {
    if (typeof inner === 'string' && isSecretName(name)) registerSecret(inner);
    else registerSecretsIn(inner, depth + 1);
  }
}

/** `private_key`, `refresh_token`, `privateKeyPass`, `password`; not `private_key_id`, `token_uri`, `privateKeyPath`. */
function isSecretName(name: string): boolean {
  return /(secret|password|passphrase|passcode|pass|pwd|token|assertion|private_?key|secret_?key)$/i.test(name);
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
