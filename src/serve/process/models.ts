import { featuresOf } from '../../domain/signature.ts';
import { ScoreBatchError } from '../../errors.ts';
import { didYouMean } from '../../suggest.ts';
import { ServeFailure } from '../failure.ts';
import type { Models } from '../models.ts';
import { outputsOf } from '../oip/outputs.ts';
import type { OnlineModel } from '../online-model.ts';
import { shown } from '../shown.ts';

/** Characters of a client's name that are compared with known names: a megabyte would take minutes. */
const COMPARED = 80;

/** A model, and the share of its name's requests that it answers. */
export interface Served {
  readonly model: OnlineModel;
  /** Percent; undefined for the default version, and for one that answers only if named. */
  readonly canary: number | undefined;
}

/**
 * The models by name and version. The first version of a name is the default, apart from canaries.
 *
 * @param random in [0, 1); drawn for each request without a version
 * @throws ScoreBatchError `configuration` if a version appears twice, shares exceed 100%, or a canary answers in another form
 */
export function modelsOf(served: readonly Served[], random: () => number = Math.random): Models {
  const names = [...new Set(served.map(({ model }) => model.name))];
  const chosen = new Map(names.map((name) => [name, versionsOf(served.filter(({ model }) => model.name === name))]));
  const list = [...chosen.values()].flatMap(({ byDefault, versions }) => [
    byDefault,
    ...versions.filter((model) => model !== byDefault),
  ]);
  return {
    list: () => list,
    find(name, version) {
      const known = chosen.get(name);
      if (known === undefined)
        throw new ServeFailure('not found', `there is no model ${shown(name)}`, {
          hint: didYouMean(name.slice(0, COMPARED), names),
        });
      if (version === undefined) return known.draw(random);
      const found = known.versions.find((model) => model.version === version);
      if (found !== undefined) return found;
      const hint = didYouMean(
        version.slice(0, COMPARED),
        known.versions.map((model) => model.version),
      );
      throw new ServeFailure('not found', `there is no version ${shown(version)} of the model ${name}`, { hint });
    },
  };
}

interface Versions {
  readonly byDefault: OnlineModel;
  readonly versions: readonly OnlineModel[];
  draw(random: () => number): OnlineModel;
}

function versionsOf(served: readonly Served[]): Versions {
  const versions = served.map(({ model }) => model);
  const canaries = served.flatMap(({ model, canary }) => (canary === undefined ? [] : [{ model, canary }]));
  const byDefault = served.find(({ canary }) => canary === undefined)?.model;
  const [{ name } = { name: '' }] = versions;
  for (const [at, { version }] of versions.entries()) {
    if (versions.findIndex((one) => one.version === version) === at) continue;
    throw new ScoreBatchError('configuration', `two bundles are version ${version} of the model ${name}`, {
      hint: 'give each bundle its own version in model.yaml',
    });
  }
  if (byDefault === undefined) {
    throw new ScoreBatchError('configuration', `every version of the model ${name} is a canary`, {
      hint: 'remove canary from the version that is to answer the other requests',
    });
  }
  const total = canaries.reduce((sum, { canary }) => sum + canary, 0);
  if (total > 100)
    throw new ScoreBatchError('configuration', `the canaries of the model ${name} add up to ${total}% of its requests`);
  for (const { model } of canaries) refuseOther(model, byDefault);
  return {
    byDefault,
    versions,
    draw(random) {
      if (canaries.length === 0) return byDefault;
      let left = random() * 100;
      for (const { model, canary } of canaries) {
        left -= canary;
        if (left < 0) return model;
      }
      return byDefault;
    },
  };
}

/** A canary gets requests that were written for the default version. */
function refuseOther(canary: OnlineModel, byDefault: OnlineModel): void {
  const features = ({ bundle }: OnlineModel) =>
    JSON.stringify([
      bundle.signature.inputs.map(({ name }) => name),
      featuresOf(bundle.signature).map(({ feature, dtype }) => [feature.name, feature.nullable, dtype]),
    ]);
  const what =
    features(canary) !== features(byDefault)
      ? 'features'
      : JSON.stringify(canary.classes) !== JSON.stringify(byDefault.classes)
        ? 'classes'
        : JSON.stringify(outputsOf(canary)) !== JSON.stringify(outputsOf(byDefault))
          ? 'outputs'
          : undefined;
  if (what === undefined) return;
  throw new ScoreBatchError(
    'configuration',
    `version ${canary.version} of the model ${canary.name} has different ${what} than version ${byDefault.version}`,
    { hint: 'serve it without canary, for clients that ask for its version' },
  );
}
