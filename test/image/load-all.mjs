// Prints which packages of a node_modules folder load, as JSON: `ok`, or the code of the error that one ends with.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const modules = process.argv.at(-1);
const require = createRequire(path.join(modules, '..', 'index.js'));
const names = readdirSync(modules).flatMap((name) =>
  name.startsWith('@') ? readdirSync(path.join(modules, name)).map((inner) => `${name}/${inner}`) : [name],
);
const loaded = {};
for (const name of names) {
  const file = path.join(modules, name, 'package.json');
  // Types are no code.
  if (name.startsWith('.') || name.startsWith('@types/') || !existsSync(file)) continue;
  const entries = [name, ...subpaths(JSON.parse(readFileSync(file, 'utf8'))).map((sub) => `${name}/${sub}`)];
  for (const entry of entries) {
    try {
      const target = import.meta.resolve ? require.resolve(entry) : entry;
      await import(target);
      loaded[entry] = 'ok';
    } catch (error) {
      loaded[entry] = error.code ?? error.name;
    }
  }
}
process.stdout.write(JSON.stringify(loaded), () => process.exit(0));

/** What a package exports beside itself, without patterns, and without what is not code or is for browsers. */
function subpaths({ exports }) {
  if (exports === null || typeof exports !== 'object') return [];
  return Object.keys(exports).flatMap((key) =>
    /^\.\/[^*]+$/.test(key) && !/\.(json|d\.[cm]?ts|css|md)$|browser\/|LICENSE/.test(key) ? [key.slice(2)] : [],
  );
}
