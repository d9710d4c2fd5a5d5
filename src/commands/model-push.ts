import type { Context } from '../context.ts';
import { parseModelUri, versionUri } from '../domain/model-uri.ts';
import { ScoreBatchError } from '../errors.ts';
import type { PushOutput } from '../json/registry.ts';
import { loadBundle } from '../model/bundle.ts';
import { verifyBundle } from '../model/verify.ts';
import { type Pushed, push } from '../registry/push.ts';
import { openSession } from '../runtime/session.ts';
import { bundleArgument } from './bundle-argument.ts';

export interface PushFlags {
  readonly name?: string;
  readonly alias?: string;
  readonly experiment?: string;
}

const ON_CPU = { providers: ['cpu'], requireGpu: false };

/** Logs a bundle in the registry as a version of a model after proving its golden rows, and points an alias to it. */
export async function pushCommand(
  given: string,
  flags: PushFlags,
  context: Context,
): Promise<{ readonly data: PushOutput; readonly text: string }> {
  const bundle = await loadBundle(await bundleArgument(given, context));
  const { name = bundle.definition.name, alias } = flags;
  refuseName(name, alias);
  await verifyBundle(bundle, ON_CPU);
  const session = await openSession(bundle, ON_CPU);
  await session.close();
  const { environment, signal, now } = context;
  const experiment = flags.experiment ?? (environment.MLFLOW_EXPERIMENT_NAME || undefined);
  const pushed = await push({ ...{ bundle, metadata: session.metadata, name, alias, experiment, environment, signal, now } });
  const data: PushOutput = {
    ...{ name, version: pushed.version, uri: versionUri(name, pushed.version), digest: pushed.digest },
    model: { name: bundle.definition.name, version: bundle.definition.version, digest: bundle.digest },
    ...{ created: pushed.created, run_id: pushed.runId, alias: pushed.alias },
  };
  return { data, text: [...showVersion(data), ...showAlias(pushed)].join('\n') };
}

function refuseName(name: string, alias: string | undefined): void {
  if (parseModelUri(versionUri(name, '1')) === undefined) {
    throw new ScoreBatchError('usage', `--name ${name} cannot be the name of a registered model`, {
      hint: 'use a name without /, : and @',
    });
  }
  if (alias === undefined || (parseModelUri(`models:/${name}@${alias}`) !== undefined && !/^(latest|v\d+)$/i.test(alias)))
    return;
  throw new ScoreBatchError('usage', `--alias ${alias} cannot be an alias`, {
    hint: 'use letters, digits, - and _; MLflow reserves latest and names such as v1',
  });
}

function showVersion({ uri, model, digest, created }: PushOutput): string[] {
  return [
    `${created ? 'registered' : 'found'} ${uri}: ${model.name} ${model.version} (sha256 ${model.digest.slice(0, 12)}…)`,
    `  digest  ${digest}`,
  ];
}

function showAlias({ alias, version }: Pushed): string[] {
  if (alias === null) return [];
  if (alias.from === version) return [`  alias   ${alias.name} already points to version ${version}`];
  return [`  alias   ${alias.name} points to version ${version}${alias.from === null ? '' : `, before that to ${alias.from}`}`];
}
