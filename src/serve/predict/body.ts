import { ServeFailure } from '../failure.ts';
import { parseJson } from '../json.ts';
import type { OnlineModel } from '../online-model.ts';
import { nearestHint, shownName } from './problems.ts';

/**
 * Reads the list under the body's only key: `{"rows": […]}`.
 *
 * @param body bytes of JSON in UTF-8
 * @throws ServeFailure `invalid` if the body is anything else, has other keys, or the list is empty; `too large` if it holds
 * more than the model accepts
 */
export function readList(body: unknown, key: string, model: OnlineModel): readonly unknown[] {
  const hint = `send {"${key}": [{…}]} with an object per row`;
  if (!(body instanceof Uint8Array) || body.length === 0)
    throw new ServeFailure('invalid', 'the request has no body', { hint });
  const request = parseJson(body, { model, hint, insteadOfNaN: 'leave out what is not known, or send null' });
  if (typeof request !== 'object' || request === null || Array.isArray(request)) {
    throw new ServeFailure('invalid', 'the body must be an object', { hint });
  }
  for (const name of Object.keys(request)) {
    if (name === key) continue;
    const near = nearestHint(name, [key]);
    throw new ServeFailure('invalid', `the request has the unknown field ${shownName(name)}`, { hint: near ?? hint });
  }
  const list = (request as Record<string, unknown>)[key];
  if (list === undefined) throw new ServeFailure('invalid', `the request has no ${key}`, { hint });
  if (!Array.isArray(list)) throw new ServeFailure('invalid', `${key} must be a list`, { hint });
  if (list.length === 0) throw new ServeFailure('invalid', `${key} is empty`, { hint });
  return list;
}
