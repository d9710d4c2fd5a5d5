import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Context } from '../context.ts';
import { counted } from '../domain/counted.ts';
import { ScoreBatchError, systemCode } from '../errors.ts';
import type { ModelInitOutput } from '../json/registry.ts';
import { MAX_YAML_BYTES, readDefinition } from '../registry/bundle-digest.ts';
import { bundleFiles } from '../registry/digest.ts';
import { placed, readMlmodel } from '../registry/mlflow-signature.ts';
import { MLMODEL } from '../registry/mlmodel.ts';
import { type ModelSource, openSource } from '../registry/model-source.ts';
import { checkedFacts, readModel } from '../runtime/model-file.ts';
import { openSession } from '../runtime/session.ts';
import { knownColumns, modelSkeleton, widthOf } from './model-skeleton.ts';

export interface ModelInitFlags {
  readonly out: string;
}

/** The limit of an ONNX file. */
const MAX_BYTES = 2 ** 31 - 1;

/** Creates a bundle from an MLflow model: its model file, and a `model.yaml` with the columns of its signature. */
export async function modelInitCommand(
  given: string,
  { out }: ModelInitFlags,
  context: Context,
): Promise<{ readonly data: ModelInitOutput; readonly text: string }> {
  const folder = path.resolve(context.folder, out);
  await refuseFull(folder, out);
  const source = await openSource(given, context);
  await mkdir(path.dirname(folder), { recursive: true });
  const making = await mkdtemp(`${folder}.partial-`);
  try {
    const whole = await source.has('model.yaml');
    const named = whole ? await copyBundle(source, making) : await makeBundle(source, making);
    const { digest } = await readModel(path.join(making, 'model.onnx'));
    await openToOthers(making);
    // An empty folder may exist there.
    await rename(making, folder);
    const data: ModelInitOutput = { from: source.shown, folder: out, digest, bundle: whole, columns_named: named };
    return { data, text: textOf(data, out) };
  } finally {
    await rm(making, { recursive: true, force: true });
  }
}

/**
 * Sets the permissions that the umask allows, because `mkdtemp` and copies allow less: the owner may edit the bundle, and
 * others may read it.
 */
async function openToOthers(making: string): Promise<void> {
  const allowed = ~process.umask();
  await chmod(making, 0o777 & allowed);
  for (const entry of await readdir(making, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) await chmod(path.join(entry.parentPath, entry.name), 0o666 & allowed);
}

async function refuseFull(folder: string, shown: string): Promise<void> {
  const files = await readdir(folder).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return [];
    throw new ScoreBatchError('usage', `--out ${shown} is not a folder`, { hint: 'name a new folder', cause: error });
  });
  if (files.length > 0) throw new ScoreBatchError('usage', `--out ${shown} is not empty`, { hint: 'name a new folder' });
}

/** @returns how many columns got their names from a signature */
async function copyBundle(source: ModelSource, folder: string): Promise<number> {
  await source.copy('model.yaml', path.join(folder, 'model.yaml'), MAX_YAML_BYTES);
  const definition = await readDefinition(folder, `model.yaml of ${source.shown}`);
  for (const name of bundleFiles(definition)) {
    if (name === 'model.yaml') continue;
    await source.copy(name, path.join(folder, name), MAX_BYTES);
  }
  return 0;
}

async function makeBundle(source: ModelSource, folder: string): Promise<number> {
  const description = path.join(folder, MLMODEL);
  await source.copy(MLMODEL, description, MAX_YAML_BYTES);
  const described = readMlmodel(await readFile(description, 'utf8'), `${MLMODEL} of ${source.shown}`);
  await rm(description);
  const file = path.join(folder, 'model.onnx');
  await source.copy(described.file, file, MAX_BYTES);
  const model = await readModel(file);
  checkedFacts(model);
  const session = await openSession(model, { providers: ['cpu'], requireGpu: false });
  await session.close();
  const { inputs } = session.metadata;
  const columns = placed(
    described.columns,
    inputs.map((input) => ({ name: input.name, width: widthOf(input) })),
  );
  const text = modelSkeleton(model, session.metadata, knownColumns(model.bytes, inputs), columns);
  await writeFile(path.join(folder, 'model.yaml'), `${text}\n`);
  return columns.length;
}

function textOf({ from, bundle, columns_named: named }: ModelInitOutput, out: string): string {
  if (bundle) return `copied the bundle of ${from} to ${out}`;
  const names = named > 0 ? `${counted(named, 'column')} named by the signature` : 'the signature names no columns';
  return [
    `made ${out} from ${from}: model.onnx and model.yaml, ${names}`,
    'next:',
    `  edit ${path.join(out, 'model.yaml')}: name, version, and what the columns may hold`,
    `  score-batch model reference ${out} --csv ROWS.csv --write    # golden rows from rows of the training set`,
    `  score-batch model push ${out} --alias champion`,
  ].join('\n');
}
