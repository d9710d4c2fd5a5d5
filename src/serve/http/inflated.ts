import { promisify } from 'node:util';
import { gunzip, inflate } from 'node:zlib';
import { systemCode } from '../../errors.ts';
import { ServeFailure } from '../failure.ts';
import { shown } from '../shown.ts';

const INFLATE = { gzip: promisify(gunzip), 'x-gzip': promisify(gunzip), deflate: promisify(inflate) } as const;

/**
 * The body of a request, decompressed by its `Content-Encoding`. Decompression stops at the limit.
 *
 * @param most bytes after decompression
 * @throws ServeFailure `too large`, or `invalid` if the encoding is unknown or the body does not match it
 */
export async function inflated(body: unknown, encoding: string | undefined, most: number): Promise<Buffer> {
  if (!Buffer.isBuffer(body) || body.length === 0) throw new ServeFailure('invalid', 'the request has no body');
  const name = encoding?.trim().toLowerCase() ?? '';
  if (name === '' || name === 'identity') return body;
  if (!isInflatable(name)) {
    throw new ServeFailure('invalid', `Content-Encoding ${shown(name)} is not supported`, {
      hint: 'send gzip, deflate or neither',
    });
  }
  try {
    return await INFLATE[name](body, { maxOutputLength: most });
  } catch (error) {
    if (systemCode(error) === 'ERR_BUFFER_TOO_LARGE') {
      throw new ServeFailure('too large', `the inflated body has more than ${most} bytes`);
    }
    throw new ServeFailure('invalid', `the body is not ${name}`, { cause: error });
  }
}

function isInflatable(name: string): name is keyof typeof INFLATE {
  return Object.hasOwn(INFLATE, name);
}
