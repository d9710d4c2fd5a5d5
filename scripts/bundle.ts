// src → dist: one file per entry with all that it needs, so that a start does not read hundreds of modules. A command's own code is a file
// that is loaded when it is called. What stands in `dependencies` is installed and stays outside: native libraries, and the clients of
// warehouses that most jobs never load. All else is bundled, with its licence in dist/THIRD-PARTY.txt.
//
// Names and lines stay as they are, so that the stack of a bug can be read.
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

/** What the bundler tells of the modules that it has read. */
interface ModuleGraph {
  getModuleInfo(id: string): { readonly importedIds: readonly string[] } | null;
}

const dist = path.join(ROOT, 'dist');
const { dependencies, optionalDependencies } = packageJson(ROOT);
const outside = Object.keys({ ...dependencies, ...optionalDependencies });

/** What a package without a file of its licence says of it in its readme. */
const WITHOUT_FILE: Readonly<Record<string, string>> = { 'abstract-logging': 'MIT License, http://jsumners.mit-license.org' };

const PROTO = 'open_inference_grpc.proto';

const NATIVE = ['@duckdb/node-bindings', 'onnxruntime-node'];
const REQUIRED = '\0required:';

/** What each of these needs beyond those before it is one file. */
const LAYERS: readonly (readonly [layer: string, entry: string])[] = [
  ['always', 'src/main.ts'],
  ['job', 'src/commands/status.ts'],
  ['warehouse', 'src/warehouse/duckdb/open.ts'],
  ['run', 'src/commands/run.ts'],
];

/** What parts far from each other have in common. In a later layer it would bring that layer's native packages along. */
const ALSO_ALWAYS = ['src/error-parts.ts'];

/**
 * Native packages are CommonJS, and are required where src imports them. An import would be done before any code of the file, while
 * ONNX Runtime must find `ORT_DISABLE_TELEMETRY` set; and Node would read all its text for names to export, which takes as long as loading it.
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
// The sources find their version in a file beside their folder, also where they are compiled one by one.
copyFileSync(path.join(ROOT, 'package.json'), path.join(ROOT, '.modules/package.json'));
// The definition of gRPC's protocol is read beside the code that serves it.
for (const folder of ['dist', '.modules/src/serve/grpc']) {
  copyFileSync(path.join(ROOT, 'src/serve/grpc', PROTO), path.join(ROOT, folder, PROTO));
}
// Editors read them.
for (const [name, schema] of [
  ['job', jobJsonSchema()],
  ['stream', streamJsonSchema()],
  ['features', featuresJsonSchema()],
] as const) {
  writeFileSync(path.join(ROOT, `jobs/${name}.schema.json`), `${JSON.stringify(schema, null, 2)}\n`);
}

/** Each entry by itself: what two have in common would be many small files, or one with more than either needs. */
async function bundle(name: string, input: string): Promise<OutputChunk[]> {
  const building = await rolldown({
    cwd: ROOT,
    input: { [name]: input },
    platform: 'node',
    preserveEntrySignatures: false,
    external: (id, importer) =>
      outside.some((one) => id === one || id.startsWith(`${one}/`)) && (!NATIVE.includes(id) || importer?.startsWith(REQUIRED)),
    transform: { target: 'es2023' },
    // OpenTelemetry's packages say only in `module` where their ES modules are, of which what is not used can be left out.
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
 * What commands have in common, in few files: left to itself the bundler makes one for each set of commands that share a module, which are
 * some fifty that a run would read one by one.
 *
 * @returns the name of the first layer that has a module, null where none does
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

/** Their licences ask for no more than that they go along. */
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

/** The outermost folder of the last package in a module's path. */
function packageFolder(id: string): string | undefined {
  return /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id)?.[0];
}

function packageJson(folder: string): PackageJson {
  return JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as PackageJson;
}
