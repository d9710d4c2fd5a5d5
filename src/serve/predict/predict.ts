import type { Predictions } from '../../model/predictions.ts';
import { ServeFailure } from '../failure.ts';
import type { OnlineModel } from '../online-model.ts';
import type { Service } from '../service.ts';
import { predictAnswer, v1Answer } from './answer.ts';
import { readList } from './body.ts';
import { fillIn } from './fill-in.ts';
import { readRows } from './read-rows.ts';

/** A request for predictions of JSON rows. */
export interface PredictCall {
  /** `predict` is our own form, `v1` is KServe's. */
  readonly protocol: 'predict' | 'v1';
  readonly name: string;
  /** Undefined for the default version. */
  readonly version: string | undefined;
  /** Returns the body's bytes, decompressed; any other result is refused. */
  readonly read: () => unknown;
  /** Aborted once the client disconnects. */
  readonly signal: AbortSignal;
}

/** Per protocol: the key of the rows, whether a row may be a list, and how to answer. */
const FORMS = {
  predict: { key: 'rows', lists: false, answer: predictAnswer },
  v1: { key: 'instances', lists: true, answer: v1Answer },
} as const;

/**
 * Answers a request as JSON.
 *
 * @throws ServeFailure `invalid`, `not found`, `too large`, or what `OnlineModel.score` throws
 */
export async function predict(service: Service, call: PredictCall): Promise<string> {
  const { protocol, name, version, read, signal } = call;
  const { key, lists, answer } = FORMS[protocol];
  const begun = performance.now();
  let model: OnlineModel | undefined;
  let rows = 0;
  let predictions: Predictions | undefined;
  let outcome = 'ok';
  try {
    model = service.models.find(name, version);
    const list = readList(await read(), key, model);
    rows = list.length;
    if (rows > model.maxRows) {
      throw new ServeFailure('too large', `the request has ${rows} rows, but ${model.name} accepts at most ${model.maxRows}`, {
        hint: 'send the rows in several requests',
      });
    }
    const { cells, lacking } = readRows(model, { key, list, lists, text: service.settings.limits.text });
    if (model.features !== undefined && lacking !== undefined) await fillIn(model.features, cells, lacking, signal);
    predictions = await model.score({ batch: cells.batch(), signal });
    return answer(model, predictions);
  } catch (error) {
    outcome = error instanceof ServeFailure ? error.kind : 'internal';
    throw error;
  } finally {
    const seconds = (performance.now() - begun) / 1000;
    service.observe({ protocol, model, outcome, rows, rejected: predictions?.rejected, seconds });
  }
}
