import { z } from 'zod';
import { BYTE_SIZE, parseByteSize } from '../domain/byte-size.ts';
import { isModelUri, MODEL_URI_FORM, parseModelUri } from '../domain/model-uri.ts';
import { isPrintable } from '../domain/printable.ts';
import { parseTableName } from '../domain/table-name.ts';

// Types of values shared by several keys of a job file.

export const anyText = z.string().min(1);
/** Names go to terminals, logs and other systems, so control characters are refused. Queries may contain them. */
export const text = anyText.refine(isPrintable, 'must not contain control characters');
export const timeZone = text.refine(isTimeZone, 'must be an IANA time zone, such as America/New_York');
/** A folder, or a version of a registered model. */
export const bundlePlace = text.refine((place) => !isModelUri(place) || parseModelUri(place) !== undefined, MODEL_URI_FORM);
export const columnList = z.array(text);

export const tableName = text
  .refine(
    (name) => parseTableName(name) !== undefined,
    'write a table as schema.table, with double quotes around unusual names',
  )
  .describe('schema.table; names with dots or spaces in double quotes');

/** `50%` or `0.5` → 0.5 */
export const share = z
  .union([z.number().min(0).max(1), z.string().regex(/^\d{1,3}(\.\d+)?%$/, 'write a share like 1% or 0.01')], {
    error: 'write a share like 1% or 0.01',
  })
  .transform((value) => (typeof value === 'number' ? value : Number(`${value.slice(0, -1)}e-2`)))
  .pipe(z.number().max(1, 'a share is at most 100%'));

/** `50GB` → 50,000,000,000; `1TiB` → 1,099,511,627,776 */
export const byteSize = z
  .union([z.int().min(1), z.string().regex(BYTE_SIZE, 'write a size like 50GB')], {
    error: 'write a size like 50GB',
  })
  .transform((value) => (typeof value === 'number' ? value : (parseByteSize(value) ?? 0)));

/** `28 days` → 28 */
export const days = z
  .string()
  .regex(/^[1-9]\d{0,3} days?$/, 'write a number of days like 28 days')
  .transform((value) => Number.parseInt(value, 10));

const UNITS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `10 minutes`, `10m` → 600,000 milliseconds */
export const duration = z
  .string()
  .regex(/^\d{1,6}( ?(s|m|h|d)| (second|minute|hour|day)s?)$/, 'write a duration like 90 seconds, 10 minutes, 2 hours or 1 day')
  .transform((value) => Number.parseInt(value, 10) * UNITS[value.replace(/^\d+ ?/, '')[0] as keyof typeof UNITS]);

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
