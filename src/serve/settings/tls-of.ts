import { createSecureContext } from 'node:tls';
import { readBounded } from '../../bounded-file.ts';
import { ScoreBatchError } from '../../errors.ts';
import { registerSecret } from '../../secrets.ts';
import type { Tls } from '../settings.ts';

/** Absolute paths of PEM files. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  readonly client_ca?: string | undefined;
}

const LIMIT = 2 ** 20;

/** Reads and checks certificate and key. @throws ScoreBatchError `configuration` if they are unreadable or do not match */
export async function tlsOf({ cert, key, client_ca }: TlsFiles): Promise<Tls> {
  const [certificate, privateKey, clientCa] = [
    await readPem(cert),
    await readPem(key),
    client_ca === undefined ? undefined : await readPem(client_ca),
  ];
  registerSecret(privateKey);
  try {
    createSecureContext({ cert: certificate, key: privateKey, ...(clientCa !== undefined && { ca: clientCa }) });
  } catch (cause) {
    throw new ScoreBatchError('configuration', `the certificate ${cert} cannot be used with the key ${key}`, {
      details: [cause instanceof Error ? cause.message : String(cause)],
      hint: 'give PEM files of a certificate and its private key, without a passphrase',
      cause,
    });
  }
  // A file without a certificate would count as an authority that signed nothing.
  if (clientCa !== undefined && !clientCa.includes('-----BEGIN CERTIFICATE-----'))
    throw new ScoreBatchError('configuration', `${client_ca} has no certificate`, { hint: 'give the PEM file of the CA' });
  return { certificate, key: privateKey, clientCa };
}

async function readPem(file: string): Promise<string> {
  return (await readBounded(file, LIMIT, 'check the paths under tls')).toString('utf8');
}
