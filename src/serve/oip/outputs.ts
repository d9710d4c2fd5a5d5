import { featuresOf } from '../../domain/signature.ts';
import { readRejection } from '../../features/rejection.ts';
import type { Predictions } from '../../model/predictions.ts';
import { didYouMean } from '../../suggest.ts';
import { ServeFailure } from '../failure.ts';
import type { OnlineModel } from '../online-model.ts';
import { shown } from '../shown.ts';
import type { Datatype } from './datatype.ts';
import type { OutputTensor, RequestedOutput } from './tensor.ts';

/** Name of the output that says why a row was rejected. */
const REJECTED = 'rejected';

/** Most rejected rows that an error lists. */
const LISTED = 20;

/** Name, datatype and elements per row of an output; with 1 element the shape is `[rows]`. */
export interface OutputForm {
  readonly name: string;
  readonly datatype: Datatype;
  readonly width: number | undefined;
}

/** The outputs of a model, in their default order. */
export function outputsOf({ bundle, classes, outputDtype }: OnlineModel): readonly OutputForm[] {
  const datatype = outputDtype === 'float32' ? 'FP32' : 'FP64';
  const rejected: OutputForm = { name: REJECTED, datatype: 'BYTES', width: undefined };
  if (classes === undefined) return [{ name: 'score', datatype, width: undefined }, rejected];
  const label: OutputForm = { name: 'label', datatype: 'BYTES', width: undefined };
  const named = bundle.signature.classes?.label !== undefined;
  return [...(named ? [label] : []), { name: 'probabilities', datatype, width: classes.length }, rejected];
}

/** Triton's output parameters that would change the answer: they are refused, not ignored. */
const UNSUPPORTED = ['classification', 'shared_memory_region'] as const;

/**
 * The outputs that a request names, or all.
 *
 * @throws ServeFailure `invalid` if the model has no such output, or one is named twice or has an unsupported parameter
 */
export function requestedOf(model: OnlineModel, requested: readonly RequestedOutput[] | undefined): readonly OutputForm[] {
  const forms = outputsOf(model);
  if (requested === undefined || requested.length === 0) return forms;
  const names = forms.map(({ name }) => name);
  return requested.map(({ name, parameters }, at) => {
    const other = UNSUPPORTED.find((key) => Object.hasOwn(parameters, key));
    if (other !== undefined) throw new ServeFailure('invalid', `the parameter ${other} is not supported`);
    const form = forms.find((one) => one.name === name);
    if (form === undefined) {
      throw new ServeFailure('invalid', `the model has no output ${shown(name)}`, {
        hint: didYouMean(name.slice(0, 80), names),
      });
    }
    if (requested.findIndex((one) => one.name === name) !== at) throw new ServeFailure('invalid', `${name} is requested twice`);
    return form;
  });
}

/** @throws ServeFailure `invalid` if a row was rejected and `rejected` was not requested */
export function tensorsOf(model: OnlineModel, forms: readonly OutputForm[], predictions: Predictions): OutputTensor[] {
  const { rows } = predictions;
  const some = predictions.rejected.some((code) => code !== 0);
  if (some && !forms.some(({ name }) => name === REJECTED)) throw refused(model, predictions);
  return forms.map(({ name, datatype, width }) => ({
    name,
    datatype,
    shape: width === undefined ? [rows] : [rows, width],
    data: dataOf(model, name, predictions, some),
  }));
}

function dataOf(model: OnlineModel, name: string, predictions: Predictions, some: boolean): OutputTensor['data'] {
  const { values, width, labels = [], rejected, rows } = predictions;
  switch (name) {
    case REJECTED:
      return some ? Array.from(rejected, (code) => rejectionText(model, code)) : new Array<string>(rows).fill('');
    case 'label':
      return some ? labels.map((label, row) => (rejected[row] === 0 ? label : '')) : labels;
    default: {
      if (!some) return values;
      const marked = values.slice();
      for (const [row, code] of rejected.entries()) {
        if (code !== 0) marked.fill(Number.NaN, row * width, (row + 1) * width);
      }
      return marked;
    }
  }
}

/** `feature out of range: petal_width`, worded as in the quarantine; empty for a scored row. */
function rejectionText({ bundle }: OnlineModel, code: number): string {
  if (code === 0) return '';
  const { reason, feature } = readRejection(code);
  const name = feature === undefined ? undefined : featuresOf(bundle.signature)[feature]?.feature.name;
  return name === undefined ? reason : `${reason}: ${name}`;
}

function refused(model: OnlineModel, { rejected, rows }: Predictions): ServeFailure {
  const listed = Array.from(rejected, (code, row) => ({ code, row })).filter(({ code }) => code !== 0);
  const details = listed.slice(0, LISTED).map(({ code, row }) => `row ${row}: ${rejectionText(model, code)}`);
  if (listed.length > LISTED) details.push(`and ${listed.length - LISTED} more`);
  // The message includes a reason: clients show nothing else.
  return new ServeFailure('invalid', `${listed.length} of ${rows} rows cannot be scored: ${details[0]}`, {
    details,
    hint: `also request the output ${REJECTED} to get the other rows`,
  });
}
