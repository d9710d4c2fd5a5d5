import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type Agent, request } from 'node:https';
import path from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { tlsOf } from '../../../src/serve/settings/tls-of.ts';
import { keptFolder } from '../../support/kept.ts';
import { IRIS, served } from '../served.ts';

let folder = '';
const file = (name: string) => path.join(folder, name);
const pem = (name: string) => readFileSync(file(name), 'utf8');

function openssl(command: string): void {
  execFileSync('openssl', command.split(' '), { cwd: folder, stdio: 'pipe' });
}

/** A key, and a certificate that an authority signs. */
function certify(name: string, authority: string, extra = ''): void {
  openssl(`req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ${name}.key -out ${name}.csr -subj /CN=${name}`);
  execFileSync('sh', ['-c', `printf '%s' "${extra}" > ${name}.ext`], { cwd: folder });
  openssl(
    `x509 -req -in ${name}.csr -CA ${authority}.pem -CAkey ${authority}.key -CAcreateserial -days 2 -extfile ${name}.ext -out ${name}.pem`,
  );
}

beforeAll(async () => {
  folder = await keptFolder();
  for (const name of ['ours', 'theirs'])
    openssl(
      `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ${name}.key -out ${name}.pem -days 2 -subj /CN=${name}`,
    );
  certify('localhost', 'ours', 'subjectAltName=DNS:localhost,IP:127.0.0.1');
  certify('client', 'ours');
  certify('stranger', 'theirs');
});

async function statusOf(url: string, options: { cert?: string; key?: string; ca?: string; agent?: Agent }): Promise<number> {
  return await new Promise((resolve, reject) => {
    request(`${url}/v2/health/ready`, { ca: pem('ours.pem'), agent: false, ...options }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on('error', reject)
      .end();
  });
}

it('speaks TLS, and with an authority for clients takes only those that it signed', async () => {
  const plain = await served([IRIS], { tls: await tlsOf({ cert: file('localhost.pem'), key: file('localhost.key') }) });
  expect(plain.addresses.http).toMatch(/^https:/);
  expect(await statusOf(plain.addresses.http, {})).toBe(200);
  await expect(statusOf(plain.addresses.http, { ca: pem('theirs.pem') })).rejects.toThrow(/unable to (verify|get)/);

  const files = { cert: file('localhost.pem'), key: file('localhost.key'), client_ca: file('ours.pem') };
  const { addresses } = await served([IRIS], { tls: await tlsOf(files) });
  expect(await statusOf(addresses.http, { cert: pem('client.pem'), key: pem('client.key') })).toBe(200);
  // The server ends the connection, which the client may see as a reset.
  const refused = /alert|ECONNRESET|socket hang up|EPIPE/;
  await expect(statusOf(addresses.http, {})).rejects.toThrow(refused);
  await expect(statusOf(addresses.http, { cert: pem('stranger.pem'), key: pem('stranger.key') })).rejects.toThrow(refused);
});

it('refuses files that do not belong together', async () => {
  await expect(tlsOf({ cert: file('localhost.pem'), key: file('client.key') })).rejects.toMatchObject({
    kind: 'configuration',
  });
  const swapped = { cert: file('localhost.pem'), key: file('localhost.key'), client_ca: file('ours.key') };
  await expect(tlsOf(swapped)).rejects.toThrow('has no certificate');
  await expect(tlsOf({ cert: file('none.pem'), key: file('localhost.key') })).rejects.toThrow('does not exist');
});
