import type { Predictions } from '../../model/predictions.ts';
import { ServeFailure } from '../failure.ts';
import type { OnlineModel } from '../online-model.ts';
import type { Observation, Service } from '../service.ts';
import { columnsOf } from './columns.ts';
import { withLookedUp } from './looked-up.ts';
import { requestedOf, tensorsOf } from './outputs.ts';
import type { InferAnswer, InferRequest, Parameters } from './tensor.ts';

/** A call of `infer`, over any protocol. */
export interface InferCall {
  readonly protocol: Observation['protocol'];
  readonly name: string;
  readonly version: string | undefined;
  /** Reads the request within the model's limits; errors that it throws are observed, too. */
  readonly read: (model: OnlineModel) => InferRequest | Promise<InferRequest>;
  /** On the `performance.now()` clock. The request's own `timeout` may end earlier. */
  readonly deadline?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Answers an inference request of the Open Inference Protocol, and observes it.
 *
 * @throws ServeFailure of any kind; also `invalid` if a row is rejected and the request names outputs without `rejected`
 */
export async function infer(service: Service, call: InferCall): Promise<InferAnswer> {
  const begin = performance.now();
  let model: OnlineModel | undefined;
  let predictions: Predictions | undefined;
  let rows = 0;
  let outcome = 'ok';
  try {
    model = service.models.find(call.name, call.version);
    const request = await call.read(model);
    const deadline = earliest(call.deadline, timeoutOf(request.parameters, begin));
    const forms = requestedOf(model, request.outputs);
    const { text } = service.settings.limits;
    const read = columnsOf(model, request.inputs, text);
    rows = read.rows;
    const { signal } = call;
    const batch = await withLookedUp(model, read, { tensors: request.inputs, text, deadline, signal });
    predictions = await model.score({
      batch,
      ...(deadline !== undefined && { deadline }),
      ...(call.signal !== undefined && { signal: call.signal }),
    });
    return { model, id: request.id, outputs: tensorsOf(model, forms, predictions) };
  } catch (error) {
    outcome = error instanceof ServeFailure ? error.kind : 'internal';
    throw error;
  } finally {
    service.observe({
      protocol: call.protocol,
      model,
      outcome,
      rows,
      rejected: predictions?.rejected,
      seconds: (performance.now() - begin) / 1000,
    });
  }
}

/**
 * When the request's `timeout` parameter expires: microseconds, 0 for none, as in Triton.
 *
 * @throws ServeFailure `invalid`
 */
function timeoutOf(parameters: Parameters, begin: number): number | undefined {
  if (!Object.hasOwn(parameters, 'timeout')) return undefined;
  const microseconds = Number(parameters.timeout);
  const isNumber = typeof parameters.timeout === 'number' || typeof parameters.timeout === 'bigint';
  if (!isNumber || !Number.isInteger(microseconds) || microseconds < 0) {
    throw new ServeFailure('invalid', 'the parameter timeout is not a whole number of microseconds');
  }
  return microseconds === 0 ? undefined : begin + microseconds / 1000;
}

function earliest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : Math.min(a, b);
}
