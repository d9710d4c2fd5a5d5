import type { ColumnType } from '../../../src/domain/schema.ts';

// Composite keys that differ in one part or in several, and their order as this file computes it, which no warehouse has a part in.

/** Types of a key's parts; a warehouse has all of them but UUIDs. */
export type KeyType = Exclude<ColumnType, 'float' | 'other'>;

/** Values as text that casts take, in no order. The order of their texts is another one wherever the type has one of its own. */
const VALUES: Readonly<Record<KeyType, readonly string[]>> = {
  bool: ['true', 'false'],
  integer: ['9', '10', '-10', '-9', '0', '100', '-999999999999999999', '999999999999999998', '999999999999999999'],
  decimal: ['9.5', '10.25', '-10.25', '-9.5', '-9.75', '0', '0.5', '0.0625', '-0.0001', '99999999999999.9999'],
  date: ['2026-11-26', '0999-12-31', '1000-01-01', '1969-12-31', '2024-02-29', '9999-12-31'],
  datetime: [
    '2026-11-26 09:00:00.000001',
    '2026-11-26 09:00:00',
    '2026-11-26 10:00:00',
    '0999-12-31 23:59:59.999999',
    '1969-12-31 23:59:59.9',
  ],
  timestamp: [
    '2026-11-26 01:30:00.000001-05:00',
    '2026-11-26 06:30:00+00:00',
    '2026-11-26 02:00:00+00:00',
    '1970-01-01 00:00:00+01:00',
    '1970-01-01 00:30:00+00:00',
  ],
  // Small letters after capitals; an accent of its own; a sign beyond the basic plane, which UTF-16 puts before U+FF21.
  string: ['b', 'B', 'a', 'aa', 'A', '', 'z', 'é', 'e\u0301', '\uFF21', '\u{1F600}', '10', '9', 'a b', 'a-b'],
  uuid: [
    '80000000-0000-4000-8000-000000000000',
    '7fffffff-ffff-4fff-bfff-ffffffffffff',
    'ffffffff-ffff-4fff-bfff-ffffffffffff',
    '00000000-0000-4000-8000-000000000001',
    '00000000-0000-4000-7fff-000000000002',
    'a0000000-0000-4000-8000-000000000000',
  ],
};

/** Keys with these parts: every value in every part, and some hundred at random, among which many begin alike. */
export function tiedKeys(types: readonly KeyType[]): string[][] {
  const first = types.map((type) => VALUES[type][0] ?? '');
  const keys = types.flatMap((type, part) => VALUES[type].map((value) => first.with(part, value)));
  let state = 1;
  const random = (below: number): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
  for (let n = 0; n < 100; n += 1) {
    const alike = random(types.length);
    keys.push(types.map((type, part) => VALUES[type][part < alike ? 0 : random(VALUES[type].length)] ?? ''));
  }
  return [...new Map(keys.map((key) => [key.join('\u001f'), key])).values()];
}

/** Compares two keys as ranks do: part by part. */
export function compareKeys(types: readonly KeyType[], a: readonly string[], b: readonly string[]): number {
  for (const [part, type] of types.entries()) {
    const order = compareParts(type, a[part] ?? '', b[part] ?? '');
    if (order !== 0) return order;
  }
  return 0;
}

function compareParts(type: KeyType, a: string, b: string): number {
  switch (type) {
    case 'bool':
      return Number(a === 'true') - Number(b === 'true');
    case 'integer':
    case 'decimal':
      return compare(tenThousandths(a), tenThousandths(b));
    case 'date':
    case 'datetime':
    case 'timestamp':
      return compare(microseconds(a), microseconds(b));
    case 'string':
    case 'uuid':
      return Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'));
  }
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : Number(a > b);
}

function tenThousandths(text: string): bigint {
  const [whole = '', fraction = ''] = text.split('.');
  return BigInt(`${whole}${fraction.padEnd(4, '0')}`);
}

/** Since 1970 in UTC; a time without an offset is taken for UTC. */
function microseconds(text: string): bigint {
  const [, day = '', time = '00:00:00', fraction = '', offset = '+00:00'] =
    /^([\d-]+)(?: ([\d:]+)(?:\.(\d+))?([+-][\d:]+)?)?$/.exec(text) ?? [];
  return BigInt(Date.parse(`${day}T${time}${offset}`)) * 1000n + BigInt(fraction.padEnd(6, '0'));
}
