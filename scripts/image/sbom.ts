// Part of the image's build; runs in the image's own system: `node sbom.js SBOM NOTICE` prints what is in the image, as
// CycloneDX. SBOM is what `npm sbom` printed, NOTICE is dist/THIRD-PARTY.txt.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { type Bill, billOfMaterials, type DebianPackage } from './bill.ts';

const [npm = '', notice = ''] = process.argv.slice(2);
const release = readFileSync('/etc/os-release', 'utf8');
const bill = billOfMaterials({
  npm: JSON.parse(readFileSync(npm, 'utf8')) as Bill,
  notice: readFileSync(notice, 'utf8'),
  node: {
    version: process.versions.node,
    sha256: createHash('sha256').update(readFileSync(process.execPath)).digest('hex'),
  },
  system: { name: released('ID'), version: released('VERSION_ID'), packages: debianPackages() },
});
process.stdout.write(`${JSON.stringify(bill, null, 1)}\n`);

function released(key: string): string {
  return new RegExp(`^${key}="?([^"\n]*)"?$`, 'm').exec(release)?.[1] ?? '';
}

function debianPackages(): DebianPackage[] {
  const fields = ['Package', 'Version', 'Architecture'].map((name) => `$\{${name}}`).join(' ');
  const lines = execFileSync('dpkg-query', ['--show', `--showformat=${fields}\\n`], { encoding: 'utf8' })
    .trim()
    .split('\n');
  return lines.map((line) => {
    const [name = '', version = '', architecture = ''] = line.split(' ');
    const file = `/usr/share/doc/${name}/copyright`;
    return { name, version, architecture, copyright: existsSync(file) ? readFileSync(file, 'utf8') : undefined };
  });
}
