import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Listeners beside the plain one. */
export interface Listeners {
  /** With a certificate for 127.0.0.1; `client` asks for a certificate of the client's. */
  readonly tls?: { readonly client: boolean };
  /** Users and their passwords, for PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512. */
  readonly sasl?: Readonly<Record<string, string>>;
  /** Only these may do anything; others are refused. Clients of the plain listener may do all. */
  readonly allowed?: readonly string[];
}

/** Where the certificates are that a cluster with `tls` made; PEM. */
export interface Certificates {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

interface ListenerSettings {
  readonly settings: Readonly<Record<string, string>>;
  /** Arguments of Kafka's `StorageTool format`. */
  readonly format: readonly string[];
  readonly certificates: Certificates | undefined;
}

export async function listenerSettings(folder: string, { tls, sasl, allowed }: Listeners): Promise<ListenerSettings> {
  const settings: Record<string, string> = {};
  const format: string[] = [];
  const certificates = tls && (await makeCertificates(folder));
  if (tls !== undefined && certificates !== undefined) {
    const { ca, cert, key } = certificates;
    await writeFile(path.join(folder, 'broker.pem'), (await readFile(key, 'utf8')) + (await readFile(cert, 'utf8')));
    settings['ssl.keystore.type'] = 'PEM';
    settings['ssl.keystore.location'] = path.join(folder, 'broker.pem');
    settings['ssl.truststore.type'] = 'PEM';
    settings['ssl.truststore.location'] = ca;
    settings['ssl.client.auth'] = tls.client ? 'required' : 'none';
  }
  if (sasl !== undefined) {
    const users = Object.entries(sasl);
    const plain = users.map(([user, password]) => `user_${user}="${password}"`).join(' ');
    const module = 'org.apache.kafka.common.security';
    for (const listener of ['sasl_plaintext', ...(tls ? ['sasl_ssl'] : [])]) {
      const prefix = `listener.name.${listener}`;
      settings[`${prefix}.sasl.enabled.mechanisms`] = 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512';
      settings[`${prefix}.plain.sasl.jaas.config`] = `${module}.plain.PlainLoginModule required ${plain};`;
      for (const hash of ['256', '512']) {
        settings[`${prefix}.scram-sha-${hash}.sasl.jaas.config`] = `${module}.scram.ScramLoginModule required;`;
      }
    }
    for (const [user, password] of users) {
      for (const hash of ['256', '512']) format.push('--add-scram', `SCRAM-SHA-${hash}=[name=${user},password=${password}]`);
    }
  }
  if (allowed !== undefined) {
    settings['authorizer.class.name'] = 'org.apache.kafka.metadata.authorizer.StandardAuthorizer';
    settings['super.users'] = ['ANONYMOUS', ...allowed].map((user) => `User:${user}`).join(';');
  }
  return { settings, format, certificates };
}

async function makeCertificates(folder: string): Promise<Certificates> {
  const file = (name: string) => path.join(folder, name);
  const openssl = (...args: string[]) => run('openssl', args);
  const names = 'subjectAltName=IP:127.0.0.1,DNS:localhost';
  await openssl(
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', '-subj', '/CN=test authority'],
    ...['-keyout', file('ca.key'), '-out', file('ca.pem')],
  );
  await openssl(
    ...['req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=127.0.0.1', '-addext', names],
    ...['-keyout', file('leaf.key'), '-out', file('leaf.csr')],
  );
  await openssl(
    ...['x509', '-req', '-in', file('leaf.csr'), '-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-CAcreateserial'],
    ...['-days', '30', '-copy_extensions', 'copy', '-out', file('leaf.pem')],
  );
  return { ca: file('ca.pem'), cert: file('leaf.pem'), key: file('leaf.key') };
}
