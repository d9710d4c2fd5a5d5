// Bundles src into dist: one file per entry with all that it needs, so that a start does not read hundreds of modules. Each
// command's own code is a separate file, loaded on use. Packages in `dependencies` are installed, not bundled: native
// libraries, and warehouse clients that most jobs never load. Everything else is bundled, with its licence in
// dist/THIRD-PARTY.txt.
//
// Names and lines stay unchanged, so that stack traces are readable.
import { chmodSync, copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type OutputChunk, type Plugin, rolldown } from 'rolldown';
import { featuresJsonSchema } from '../src/event-features/json-schema.ts';
import { jobJsonSchema } from '../src/job/json-schema.ts';
import { streamJsonSchema } from '../src/stream/settings/json-schema.ts';
import { ENTRIES } from './entries.ts';
import { ROOT } from './root.ts';

interface PackageJson {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** What the bundler reports about the modules that it has read. */
interface ModuleGraph {
  getModuleInfo(id: string): { readonly importedIds: readonly string[] } | null;
}

const dist = path.join(ROOT, 'dist');
const { dependencies, optionalDependencies } = packageJson(ROOT);
const outside = Object.keys({ ...dependencies, ...optionalDependencies });

/** What the readmes of packages without a licence file say about their licence. */
const WITHOUT_FILE: Readonly<Record<string, string>> = { 'abstract-logging': 'MIT License, http://jsumners.mit-license.org' };

const PROTO = 'open_inference_grpc.proto';

const NATIVE = ['@duckdb/node-bindings', 'onnxruntime-node'];
const REQUIRED = '\0required:';

/** Each layer is one file, with what its entry needs beyond the layers before it. */
const LAYERS: readonly (readonly [layer: string, entry: string])[] = [
  ['always', 'src/main.ts'],
  ['job', 'src/commands/status.ts'],
  ['warehouse', 'src/warehouse/duckdb/open.ts'],
  ['run', 'src/commands/run.ts'],
];

/** Shared by distant parts of the code. In a later layer, it would pull in that layer's native packages. */
const ALSO_ALWAYS = ['src/error-parts.ts'];

/**
 * Native packages are CommonJS and are required where src imports them. An import would be evaluated before any code of the
 * file, but ONNX Runtime must find `ORT_DISABLE_TELEMETRY` set. Node would also parse the package's text for its exports, which
 * takes as long as loading it.
 */
const required: Plugin = {
  name: 'required',
  resolveId: (id, importer) => (NATIVE.includes(id) && !importer?.startsWith(REQUIRED) ? `${REQUIRED}${id}.cjs` : null),
  load: (id) => (id.startsWith(REQUIRED) ? `module.exports = require('${id.slice(REQUIRED.length, -'.cjs'.length)}');` : null),
};

const files: OutputChunk[] = [];
for (const [name, input] of Object.entries(ENTRIES)) files.push(...(await bundle(name, input)));
writeFileSync(path.join(dist, 'THIRD-PARTY.txt'), notice(files.flatMap(({ moduleIds }) => moduleIds)));
chmodSync(path.join(dist, 'cli.js'), 0o755);
// The sources read their version from a file next to their folder, even if compiled one by one.
copyFileSync(path.join(ROOT, 'package.json'), path.join(ROOT, '.modules/package.json'));
// gRPC's protocol definition is read from the folder of the code that serves it.
for (const folder of ['dist', '.modules/src/serve/grpc']) {
  copyFileSync(path.join(ROOT, 'src/serve/grpc', PROTO), path.join(ROOT, folder, PROTO));
}
// For editors.
for (const [name, schema] of [
  ['job', jobJsonSchema()],
  ['stream', streamJsonSchema()],
  ['features', featuresJsonSchema()],
] as const) {
  writeFileSync(path.join(ROOT, `jobs/${name}.schema.json`), `${JSON.stringify(schema, null, 2)}\n`);
}

/** Bundles each entry separately: shared code would otherwise become many small files, or one larger than either needs. */
async function bundle(name: string, input: string): Promise<OutputChunk[]> {
  const building = await rolldown({
    cwd: ROOT,
    input: { [name]: input },
    platform: 'node',
    preserveEntrySignatures: false,
    external: (id, importer) =>
      outside.some((one) => id === one || id.startsWith(`${one}/`)) && (!NATIVE.includes(id) || importer?.startsWith(REQUIRED)),
    transform: { target: 'es2023' },
    // OpenTelemetry's packages name their ES modules, which can be tree-shaken, only in `module`.
    resolve: { mainFields: ['module', 'main'] },
    plugins: [required],
    onwarn: (warning) => {
      throw new Error(warning.message);
    },
  });
  const { output } = await building.write({
    dir: dist,
    format: 'esm',
    chunkFileNames: `${name}-[name].js`,
    cleanDir: false,
    codeSplitting: { groups: [{ name: layers(), debugName: 'layers', includeDependenciesRecursively: false }] },
  });
  return output.filter((file) => file.type === 'chunk');
}

/**
 * Puts code shared by commands into few files. Otherwise the bundler makes one for each set of commands that share a module:
 * about fifty, which a run would read one by one.
 *
 * @returns the name of the first layer that has a module; null if none does
 */
function layers(): (id: string, graph: ModuleGraph) => string | null {
  let found: Map<string, string> | undefined;
  return (id, graph) => {
    found ??= layersOf(graph);
    return found.get(id) ?? null;
  };
}

function layersOf(graph: ModuleGraph): Map<string, string> {
  const found = new Map(ALSO_ALWAYS.map((file) => [path.join(ROOT, file), 'always']));
  for (const [layer, entry] of LAYERS) {
    const reach = (id: string): void => {
      for (const next of graph.getModuleInfo(id)?.importedIds ?? []) {
        if (found.has(next)) continue;
        found.set(next, layer);
        reach(next);
      }
    };
    reach(path.join(ROOT, entry));
  }
  return found;
}

/** Their licences only require that they are included. */
function notice(modules: readonly string[]): string {
  const folders = new Set(modules.map(packageFolder).filter((folder) => folder !== undefined));
  const packages = [...folders].map((folder) => {
    const { name, version, license } = packageJson(folder);
    const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
    const text = file === undefined ? WITHOUT_FILE[name] : readFileSync(path.join(folder, file), 'utf8').trim();
    if (text === undefined) throw new Error(`${name} has no file with its licence`);
    return `${name} ${version}: ${license}\n\n${text}\n`;
  });
  const apache = readFileSync(path.join(ROOT, 'node_modules/@grpc/grpc-js/LICENSE'), 'utf8').trim();
  packages.push(`${PROTO}, Copyright 2023 The KServe Authors: Apache-2.0\n\n${apache}\n`);
  return `Packages whose code is part of the files in this folder.\n\n${packages.sort().join(`\n${'-'.repeat(80)}\n\n`)}`;
}

/** The root folder of the innermost package in a module's path. */
function packageFolder(id: string): string | undefined {
  return /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id)?.[0];
}

function packageJson(folder: string): PackageJson {
  return JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as PackageJson;
}
