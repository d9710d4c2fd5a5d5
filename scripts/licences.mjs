// Prints the packages that are installed with score-batch, with their licences, from the lock file: `node scripts/licences.mjs`.
import { readFileSync } from 'node:fs';

const lock = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8'));
const packages = Object.entries(lock.packages).filter(([folder, { dev }]) => folder !== '' && !dev);
const lines = packages.map(([folder, { version, license = 'see its repository' }]) => {
  const name = folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length);
  return `${name} ${version}: ${license}`;
});
process.stdout.write(`${[...new Set(lines)].sort().join('\n')}\n`);
