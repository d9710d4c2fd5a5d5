// Prints packages with their licences: those installed with score-batch, from the lock file, and those bundled with it, from
// the build: `npm run licences`. With the SBOM of an image, prints its packages: `npm run licences -- sbom.cdx.json`.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Bill } from './image/bill.ts';
import { ROOT } from './root.ts';

interface Lock {
  readonly packages: Readonly<Record<string, { readonly version?: string; readonly license?: string; readonly dev?: boolean }>>;
}

const [sbom] = process.argv.slice(2);
const lines = sbom === undefined ? installed() : inImage(JSON.parse(readFileSync(sbom, 'utf8')) as Bill);
process.stdout.write(`${[...new Set(lines)].sort().join('\n')}\n`);

function inImage({ components }: Bill): string[] {
  return components.flatMap(({ name, version, licenses = [] }) => {
    const named = licenses.map((one) => ('expression' in one ? one.expression : (one.license.id ?? one.license.name)));
    return named.length === 0 ? [] : [`${name} ${version}: ${named.join(', ')}`];
  });
}

function installed(): string[] {
  const lock = JSON.parse(readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8')) as Lock;
  const packages = Object.entries(lock.packages).filter(([folder, { dev }]) => folder !== '' && !dev);
  const lines = packages.map(([folder, { version, license = 'see its repository' }]) => {
    const name = folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length);
    return `${name} ${version}: ${license}`;
  });
  const notice = readFileSync(path.join(ROOT, 'dist/THIRD-PARTY.txt'), 'utf8');
  const bundled = [...notice.matchAll(/^\S+ \d+\.\S+: .+$/gm)].map(([line]) => `${line} (bundled)`);
  return [...lines, ...bundled];
}
