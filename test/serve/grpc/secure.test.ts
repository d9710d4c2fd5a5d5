import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../support/project.ts';
import { IRIS, served } from '../served.ts';
import { clientOf, failure } from './client.ts';

const digest = (token: string) => createHash('sha256').update(token).digest('hex');

it('lets nobody without a token in, and lets probes ask whether it is there', async () => {
  const { addresses } = await served([IRIS], { grpcPort: 0, tokens: [digest('old-token'), digest('new-token')] });
  const client = clientOf(addresses.grpc);
  const UNAUTHENTICATED = { code: 'UNAUTHENTICATED', details: expect.stringContaining('a bearer token is required') };
  const ask = (method: string, authorization?: string) =>
    client.call(method, { name: 'iris' }, {}, authorization === undefined ? {} : { authorization });
  for (const method of ['ServerMetadata', 'ModelReady', 'ModelMetadata', 'ModelInfer']) {
    expect(await failure(ask(method))).toEqual(UNAUTHENTICATED);
    expect(await failure(ask(method, 'Bearer another'))).toEqual(UNAUTHENTICATED);
  }
  expect(await ask('ModelReady', 'Bearer old-token')).toEqual({ ready: true });
  expect(await ask('ModelReady', 'bearer new-token')).toEqual({ ready: true });
  expect(await ask('ServerReady')).toEqual({ ready: true });
});

it('refuses calls of pages', async () => {
  const { addresses } = await served([IRIS], { grpcPort: 0, origins: ['https://a.example'] });
  const client = clientOf(addresses.grpc);
  const ask = (origin: string) => client.call('ServerLive', {}, {}, { origin });
  expect(await failure(ask('https://b.example'))).toMatchObject({ code: 'PERMISSION_DENIED' });
  expect(await ask('https://a.example')).toEqual({ live: true });
});

/** An authority, and a certificate that it signed for 127.0.0.1, as PEM. */
async function certificates(): Promise<{ ca: string; certificate: string; key: string }> {
  const folder = await temporaryFolder();
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  const NEW = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2'];
  openssl(...NEW, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=authority');
  const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-addext', 'subjectAltName=IP:127.0.0.1'];
  openssl(...NEW, ...signed, '-keyout', 'own.key', '-out', 'own.pem', '-subj', '/CN=own');
  const read = (name: string) => readFileSync(path.join(folder, name), 'utf8');
  return { ca: read('ca.pem'), certificate: read('own.pem'), key: read('own.key') };
}

it('speaks TLS, and with an authority for clients only to those that it signed for', async () => {
  const { ca, certificate, key } = await certificates();
  const [trusted, ...own] = [ca, key, certificate].map((pem) => Buffer.from(pem)) as [Buffer, Buffer, Buffer];
  const open = await served([IRIS], { grpcPort: 0, tls: { certificate, key, clientCa: undefined } });
  const anyone = grpc.credentials.createSsl(trusted);
  expect(await clientOf(open.addresses.grpc, anyone).call('ServerLive', {})).toEqual({ live: true });
  const plain = clientOf(open.addresses.grpc).call('ServerLive', {}, { deadline: Date.now() + 5000 });
  expect((await failure(plain)).code).toMatch(/UNAVAILABLE|DEADLINE_EXCEEDED/);

  const closed = await served([IRIS], { grpcPort: 0, tls: { certificate, key, clientCa: ca } });
  const known = grpc.credentials.createSsl(trusted, ...own);
  expect(await clientOf(closed.addresses.grpc, known).call('ServerLive', {})).toEqual({ live: true });
  const stranger = clientOf(closed.addresses.grpc, anyone).call('ServerLive', {}, { deadline: Date.now() + 5000 });
  expect((await failure(stranger)).code).toMatch(/UNAVAILABLE|DEADLINE_EXCEEDED/);
});

it('says what is wrong with a certificate', async () => {
  const tls = { certificate: 'no certificate', key: 'no key', clientCa: undefined };
  await expect(served([IRIS], { grpcPort: 0, tls })).rejects.toThrow();
});
