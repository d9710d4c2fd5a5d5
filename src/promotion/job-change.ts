import { randomBytes } from 'node:crypto';
import { lstat, readlink, realpath, rename, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { isModelUri, versionUri } from '../domain/model-uri.ts';
import type { PromotedModel } from '../domain/promotion.ts';
import { featuresOf } from '../domain/signature.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Job } from '../job/load.ts';
import { readText } from '../job/locate.ts';
import { parseJob } from '../job/parse.ts';
import type { Bundle } from '../model/bundle.ts';
import { replaceFile } from '../replaced-file.ts';
import { spliced } from '../yaml/splice.ts';

// Makes the challenger the model of the job: the path `model` must lead to its bundle, and the job must no longer have it as
// its challenger. A path that is a link is repointed; if it is an alias of a registered model, and the challenger is a version
// of the same model, the alias is moved; otherwise the job file names another path. Each step is atomic and done only if
// needed, so after a kill the same steps finish it.

export interface JobChange {
  /** One line for people. */
  readonly what: string;
  apply(): Promise<void>;
}

export interface ChangeOptions {
  readonly job: Job;
  readonly to: PromotedModel;
  /** The promoted bundle. */
  readonly bundle: Bundle;
  /** Whether `model` already leads to this bundle. */
  readonly leads: boolean;
  /** Whether the job still has this challenger. */
  readonly challenges: boolean;
  readonly environment: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

/**
 * The remaining steps, in order.
 *
 * @throws ScoreBatchError `configuration` if the job file cannot be edited automatically, `conflict` if it changes meanwhile
 */
export async function changesLeft(options: ChangeOptions): Promise<JobChange[]> {
  const { job, bundle, leads, challenges } = options;
  const alias = aliasOf(options);
  const link = path.resolve(job.root, job.definition.model);
  const isLink = !isModelUri(job.definition.model) && (await lstat(link)).isSymbolicLink();
  const repoint = !leads && isLink ? [await repointing(job, link, bundle.folder)] : [];
  const steps = alias === undefined || leads ? repoint : [alias];
  if (!challenges && (leads || isLink || alias !== undefined)) return steps;
  return [...steps, await jobFileChange(options, !leads && !isLink && alias === undefined)];
}

/** Moves the alias that the job names as its model; undefined if it names none, or the challenger belongs to another model. */
function aliasOf({ job, environment, signal }: ChangeOptions): JobChange | undefined {
  const [model, challenger] = [job.located?.model?.registered, job.located?.challenger?.registered];
  if (!model?.alias || challenger?.name !== model.name) return undefined;
  const move = { name: model.name, alias: model.alias, from: model.version, to: challenger.version };
  return {
    what: `move the alias ${move.alias} of ${move.name} from version ${move.from} to ${move.to}`,
    async apply() {
      const { promoteAlias } = await import('../registry/alias.ts');
      await promoteAlias(move, environment, signal);
    },
  };
}

/** @param link absolute path of a link to a bundle */
async function repointing({ root }: Job, link: string, folder: string): Promise<JobChange> {
  const target = path.relative(await realpath(path.dirname(link)), await realpath(folder));
  return {
    what: `repoint ${path.relative(root, link)} from ${await readlink(link)} to ${target}`,
    async apply() {
      const temporary = `${link}.${randomBytes(6).toString('hex')}.partial`;
      try {
        await symlink(target, temporary);
        await rename(temporary, link);
      } catch (cause) {
        await rm(temporary, { force: true }).catch(() => undefined);
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new ScoreBatchError('permission', `${link} cannot be repointed: ${reason}`, {
          hint: 'give the user that runs score-batch permission to write to its folder, then run `score-batch promote` again',
          cause,
        });
      }
    },
  };
}

async function jobFileChange({ job, to, bundle, challenges, environment }: ChangeOptions, names: boolean): Promise<JobChange> {
  const { root, definition } = job;
  // Write through a link to a job file, so that it remains a link.
  const file = await realpath(job.file);
  const before = await readText(file, 'the job file');
  refuseOther(parseJob(before, file, environment), job);
  const renames = Object.keys(definition.features);
  const gone = renames.filter((name) => !featuresOf(bundle.signature).some(({ feature }) => feature.name === name));
  const model = await pathFor(job, to.model, bundle);
  const after = spliced(before, {
    set: names ? { model: model.replaceAll('${', '$${') } : {},
    remove: [
      ...(challenges ? [['challenger']] : []),
      // Remove renames of features that the model does not have: in a job file they are mistakes.
      ...(gone.length === renames.length && gone.length > 0 ? [['features']] : gone.map((name) => ['features', name])),
    ],
  });
  const shown = path.relative(root, job.file);
  if (after === undefined || (names && isVariable(before))) {
    throw new ScoreBatchError('configuration', `${shown} cannot be edited automatically`, {
      hint: `set model: ${model} yourself where its value is defined, and remove challenger; or make model a link to a bundle`,
    });
  }
  // The shortened text must still be a valid job file.
  parseJob(after, file, environment);
  return {
    what: `change ${shown}: ${[...(names ? [`model: ${model}`] : []), ...(challenges ? ['without challenger'] : [])].join(', ')}`,
    async apply() {
      if ((await readText(file, 'the job file')) !== before) throw changedMeanwhile(shown);
      await replaceFile(
        file,
        after,
        'give the user that runs score-batch permission to write to it, then run `score-batch promote` again',
      );
    },
  };
}

/** Whether the value of `model` comes from the environment, whose variables a job file cannot set. */
function isVariable(text: string): boolean {
  return /^model:[^#\n]*(?<!\$)\$\{/m.test(text);
}

/** A challenger that is a link or an alias is promoted as its present target, because it will point to the next challenger. */
async function pathFor({ root, located }: Job, model: string, bundle: Bundle): Promise<string> {
  const registered = located?.challenger?.registered;
  if (isModelUri(model)) return registered === undefined ? model : versionUri(registered.name, registered.version);
  const stat = await lstat(path.resolve(root, model));
  return stat.isSymbolicLink() ? path.relative(await realpath(root), await realpath(bundle.folder)) : model;
}

function refuseOther(now: unknown, { file, root, definition }: Job): void {
  if (JSON.stringify(now) !== JSON.stringify(definition)) throw changedMeanwhile(path.relative(root, file));
}

function changedMeanwhile(shown: string): ScoreBatchError {
  return new ScoreBatchError('conflict', `${shown} was changed in the meantime`, {
    hint: 'run `score-batch promote` again: it reads the current job file',
  });
}
