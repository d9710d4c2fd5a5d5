// Values that came from credentials, so that no message shows them, whoever quotes them: a server that repeats a token, a
// parser that shows the line at which it stopped. One list per thread; `score/error-parts.ts` masks what leaves a worker.

const MASK = '[secret]';

/** A shorter value would turn ordinary words into masks. */
const SHORTEST = 4;

const kept = new Set<string>();
let longestFirst: readonly string[] = [];

/** Masks a value from now on, each of its lines, and the forms in which requests and logs carry it. */
export function registerSecret(value: string | undefined): void {
  if (value === undefined) return;
  const size = kept.size;
  const lines = value.split(/\\n|\r?\n/).map((line) => line.trim());
  for (const text of [value.trim(), ...lines]) {
    // The frame of a PEM file is no secret.
    if (text.length < SHORTEST || /^-----[A-Z ]+-----$/.test(text)) continue;
    for (const form of [text, encodeURIComponent(text), JSON.stringify(text).slice(1, -1), base64(text)]) kept.add(form);
  }
  if (kept.size > size) longestFirst = [...kept].sort((a, b) => b.length - a.length);
}

/** The text without any value that was kept. */
export function withoutSecrets(text: string): string {
  let masked = text;
  for (const secret of longestFirst) if (masked.includes(secret)) masked = masked.replaceAll(secret, MASK);
  return masked;
}

/** Variables that hold a secret themselves; those that name a file are read where the file is. */
const VARIABLES = [
  'SCORE_BATCH_HASH_KEY',
  'SNOWFLAKE_PASSWORD',
  'SNOWFLAKE_PRIVATE_KEY',
  'SNOWFLAKE_PRIVATE_KEY_PASSPHRASE',
  'SNOWFLAKE_TOKEN',
];

const PROXIES = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'];

/** Keeps the secrets of the environment, passwords in the addresses of proxies included. */
export function registerSecretsOf(environment: NodeJS.ProcessEnv): void {
  for (const name of VARIABLES) registerSecret(environment[name]);
  for (const name of PROXIES.flatMap((proxy) => [proxy, proxy.toLowerCase()])) {
    const [, user = '', password] = /^\w+:\/\/([^:@/]*):(.*)@[^@]*$/.exec(environment[name] ?? '') ?? [];
    if (password === undefined) continue;
    registerSecret(password);
    registerSecret(decoded(password));
    // As a proxy is told.
    registerSecret(base64(`${decoded(user)}:${decoded(password)}`));
  }
}

/** Keeps every text of a file of credentials whose name says that it is secret, however deep it lies. */
export function keepSecretsIn(value: unknown, depth = 0): void {
  if (typeof value !== 'object' || value === null || depth > 10) return;
  for (const [name, inner] of Object.entries(value)) {
    if (typeof inner === 'string' && isSecretName(name)) registerSecret(inner);
    else keepSecretsIn(inner, depth + 1);
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
