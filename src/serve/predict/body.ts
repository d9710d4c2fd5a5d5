import { isUtf8 } from 'node:buffer';
import { ServeFailure } from '../failure.ts';
import { nearestHint, shownName } from './problems.ts';

/**
 * The list that a body holds under one key: `{"rows": […]}`.
 *
 * @param body bytes of JSON in UTF-8
 * @throws ServeFailure `invalid` if the body is anything else, has other keys, or the list is empty
 */
export function readList(body: unknown, key: string): readonly unknown[] {
  const hint = `send {"${key}": [{…}]} with an object per row`;
  if (!(body instanceof Uint8Array) || body.length === 0)
    throw new ServeFailure('invalid', 'the request has no body', { hint });
  const request = parse(body, hint);
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

function parse(body: Uint8Array, hint: string): unknown {
  // Decoding would replace what is not UTF-8, and the model would see another text.
  if (!isUtf8(body)) throw new ServeFailure('invalid', 'the body is not UTF-8', { hint });
  try {
    return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString());
  } catch {
    // The parser's message quotes the body.
    throw new ServeFailure('invalid', 'the body is not valid JSON', { hint });
  }
}
