import { featuresOf } from '../../domain/signature.ts';
import { readRejection } from '../../features/rejection.ts';
import type { Predictions } from '../../model/predictions.ts';
import { ServeFailure } from '../failure.ts';
import { jsonNumber } from '../json.ts';
import type { OnlineModel } from '../online-model.ts';
import { withCount } from './problems.ts';

/** Most rejected rows that an error lists. */
const LISTED = 20;

/** A model's names, encoded as JSON. */
interface Texts {
  readonly model: string;
  readonly classes: readonly string[];
  /** The keys of the probabilities, each with its colon. */
  readonly keys: readonly string[];
  readonly features: readonly string[];
}

const TEXTS = new WeakMap<OnlineModel, Texts>();

/**
 * The answer of `predict` as JSON. Each number is the shortest text of the double that equals the model's float, so nothing is
 * rounded. Written by hand: an object per row would cost more than small models do.
 */
export function predictAnswer(model: OnlineModel, predictions: Predictions): string {
  const { model: head, features } = textsOf(model);
  let json = `{"model":${head},"predictions":[`;
  for (let row = 0; row < predictions.rows; row += 1) {
    if (row > 0) json += ',';
    const code = predictions.rejected[row] as number;
    if (code === 0) json += prediction(model, predictions, row);
    else {
      const { reason, feature } = readRejection(code);
      json += `{"rejected":{"reason":"${reason}"${feature === undefined ? '' : `,"feature":${features[feature]}`}}}`;
    }
  }
  return `${json}]}`;
}

/** `{"score":0.83}`, or label (if the bundle names one) and probabilities. */
function prediction(model: OnlineModel, { values, width, labels }: Predictions, row: number): string {
  if (model.classes === undefined) return `{"score":${jsonNumber(values[row] as number)}}`;
  const { keys } = textsOf(model);
  let json = labels === undefined ? '{"probabilities":{' : `{"label":${labelText(model, labels, row)},"probabilities":{`;
  for (let i = 0; i < width; i += 1) json += `${i === 0 ? '' : ','}${keys[i]}${jsonNumber(values[row * width + i] as number)}`;
  return `${json}}}`;
}

/**
 * The answer of KServe's V1 as JSON. A prediction is the score; for a bundle with classes the label, or the list of
 * probabilities if the bundle names no label output.
 *
 * @throws ServeFailure `invalid` with the reasons if a row was rejected: V1 predictions cannot express it
 */
export function v1Answer(model: OnlineModel, predictions: Predictions): string {
  refuseRejected(model, predictions);
  const { rows, values, width, labels } = predictions;
  let json = '{"predictions":[';
  for (let row = 0; row < rows; row += 1) {
    if (row > 0) json += ',';
    if (model.classes === undefined) json += jsonNumber(values[row] as number);
    else if (labels !== undefined) json += labelText(model, labels, row);
    else json += `[${Array.from(values.subarray(row * width, (row + 1) * width), jsonNumber).join(',')}]`;
  }
  return `${json}]}`;
}

function refuseRejected(model: OnlineModel, { rejected }: Predictions): void {
  const features = featuresOf(model.bundle.signature);
  const lines: string[] = [];
  let found = 0;
  for (const [row, code] of rejected.entries()) {
    if (code === 0) continue;
    found += 1;
    if (found > LISTED) continue;
    const { reason, feature } = readRejection(code);
    lines.push(`instances[${row}]: ${reason}${feature === undefined ? '' : `: ${features[feature]?.feature.name}`}`);
  }
  if (found === 0) return;
  throw new ServeFailure('invalid', `${found} of ${rejected.length} rows cannot be scored`, {
    hint: `use POST /v1/models/${encodeURIComponent(model.name)}/predict, which answers the other rows and says why per row`,
    details: withCount(lines, found, 'row'),
  });
}

function labelText(model: OnlineModel, labels: readonly string[], row: number): string {
  const label = labels[row] as string;
  const known = model.classes?.indexOf(label) ?? -1;
  return known < 0 ? JSON.stringify(label) : (textsOf(model).classes[known] as string);
}

function textsOf(model: OnlineModel): Texts {
  const found = TEXTS.get(model);
  if (found !== undefined) return found;
  const { name, version, digest, classes = [], bundle } = model;
  const names = classes.map((one) => JSON.stringify(one));
  const texts = {
    model: JSON.stringify({ name, version, digest }),
    classes: names,
    keys: names.map((one) => `${one}:`),
    features: featuresOf(bundle.signature).map(({ feature }) => JSON.stringify(feature.name)),
  };
  TEXTS.set(model, texts);
  return texts;
}
