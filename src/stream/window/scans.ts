import type { WindowFeature } from '../../event-features/definition.ts';
import type { FeatureValue } from '../event.ts';
import type { Aggregate, Range } from './aggregate.ts';
import { toMean, toSum } from './int64-sum.ts';
import { type MaskBit, OFFSET, type RecordLayout, TIME } from './record-layout.ts';
import { compareTexts } from './text-order.ts';
import type { Texts } from './texts.ts';

/** Computes a feature by looking at each event of its window. */
export function createScan(feature: WindowFeature, layout: RecordLayout, texts: Texts): Aggregate {
  const { aggregate, field } = feature;
  const { width } = layout;
  const mask = layout.mask(feature.where);
  if (aggregate === 'since') return since(width, mask);
  if (field === undefined) return countOfEvents(width, mask);
  const { place, type } = layout.column(field);
  switch (aggregate) {
    case 'count':
      return countOfValues(width, mask, place);
    case 'sum':
    case 'mean':
      return total(width, mask, place, aggregate === 'mean');
    case 'distinct':
      return type === 'string' ? distinctTexts(width, mask, place, texts) : distinctNumbers(width, mask, place);
    case 'min':
    case 'max':
      return type === 'string'
        ? extremeText(width, mask, place, aggregate === 'max' ? 1 : -1, texts)
        : extremeNumber(width, mask, place, aggregate === 'max');
    case 'last': {
      const last = lastValue(width, mask, place);
      if (type === 'string') return (range) => ifAny(last(range), (code) => texts.text(code));
      return type === 'bool'
        ? (range) => ifAny(last(range), (number) => number === 1)
        : (range) => ifAny(last(range), (number) => number);
    }
  }
}

function ifAny(number: number, toValue: (number: number) => FeatureValue): FeatureValue {
  return Number.isNaN(number) ? null : toValue(number);
}

function countOfEvents(width: number, { place, bit }: MaskBit): Aggregate {
  return ({ events: { data }, from, to }) => {
    if (bit === 0) return to - from;
    let count = 0;
    for (let at = from * width + place; at < to * width; at += width) if (((data[at] as number) & bit) !== 0) count += 1;
    return count;
  };
}

function countOfValues(width: number, mask: MaskBit, place: number): Aggregate {
  return ({ events: { data }, from, to }) => {
    let count = 0;
    for (let at = from * width; at < to * width; at += width) {
      if (mask.bit !== 0 && ((data[at + mask.place] as number) & mask.bit) === 0) continue;
      const value = data[at + place] as number;
      if (!Number.isNaN(value)) count += 1;
    }
    return count;
  };
}

function total(width: number, mask: MaskBit, place: number, isMean: boolean): Aggregate {
  return ({ events: { data }, from, to }) => {
    let sum = 0;
    let wide: bigint | undefined;
    let count = 0;
    for (let at = from * width; at < to * width; at += width) {
      if (mask.bit !== 0 && ((data[at + mask.place] as number) & mask.bit) === 0) continue;
      const value = data[at + place] as number;
      if (Number.isNaN(value)) continue;
      count += 1;
      const next = sum + value;
      if (next > Number.MAX_SAFE_INTEGER || next < Number.MIN_SAFE_INTEGER) {
        // Both are exact, their sum may not be.
        wide = (wide ?? 0n) + BigInt(sum) + BigInt(value);
        sum = 0;
      } else {
        sum = next;
      }
    }
    if (count === 0) return null;
    const exact = wide === undefined ? sum : toSum(wide + BigInt(sum));
    return isMean ? toMean(exact, count) : exact;
  };
}

function distinctNumbers(width: number, mask: MaskBit, place: number): Aggregate {
  return ({ events: { data }, from, to }) => {
    const seen = new Set<number>();
    for (let at = from * width; at < to * width; at += width) {
      if (mask.bit !== 0 && ((data[at + mask.place] as number) & mask.bit) === 0) continue;
      const value = data[at + place] as number;
      if (!Number.isNaN(value)) seen.add(value);
    }
    return seen.size;
  };
}

function distinctTexts(width: number, mask: MaskBit, place: number, texts: Texts): Aggregate {
  // By code, the last scan that met it: no set is made for each event.
  let seen = new Uint32Array(64);
  let scan = 0;
  return ({ events: { data }, from, to }) => {
    if (seen.length < texts.end || scan === 2 ** 32 - 1) {
      seen = new Uint32Array(2 * texts.end);
      scan = 0;
    }
    scan += 1;
    let count = 0;
    for (let at = from * width; at < to * width; at += width) {
      if (mask.bit !== 0 && ((data[at + mask.place] as number) & mask.bit) === 0) continue;
      const code = data[at + place] as number;
      if (Number.isNaN(code) || seen[code] === scan) continue;
      seen[code] = scan;
      count += 1;
    }
    return count;
  };
}

function extremeNumber(width: number, mask: MaskBit, place: number, isMax: boolean): Aggregate {
  return ({ events: { data }, from, to }) => {
    let extreme = Number.NaN;
    for (let at = from * width; at < to * width; at += width) {
      if (mask.bit !== 0 && ((data[at + mask.place] as number) & mask.bit) === 0) continue;
      const value = data[at + place] as number;
      if (Number.isNaN(value)) continue;
      if (Number.isNaN(extreme) || (isMax ? value > extreme : value < extreme)) extreme = value;
    }
    return ifAny(extreme, (number) => number);
  };
}

function extremeText(width: number, mask: MaskBit, place: number, sign: 1 | -1, texts: Texts): Aggregate {
  return ({ events: { data }, from, to }) => {
    let extreme: string | null = null;
    let extremeCode = -1;
    for (let at = from * width; at < to * width; at += width) {
      if (mask.bit !== 0 && ((data[at + mask.place] as number) & mask.bit) === 0) continue;
      const code = data[at + place] as number;
      if (Number.isNaN(code) || code === extremeCode) continue;
      const text = texts.text(code);
      if (extreme === null || sign * compareTexts(text, extreme) > 0) {
        extreme = text;
        extremeCode = code;
      }
    }
    return extreme;
  };
}

/** The value at the greatest (time, id), NaN for none. */
function lastValue(width: number, mask: MaskBit, place: number): (range: Range) => number {
  return ({ events: { data, ids = [] }, from, to }) => {
    let found = Number.NaN;
    let foundTime = 0;
    let foundId = '';
    for (let i = to - 1; i >= from; i -= 1) {
      const at = i * width;
      if (!Number.isNaN(found) && (data[at + TIME] as number) < foundTime) break;
      if (mask.bit !== 0 && ((data[at + mask.place] as number) & mask.bit) === 0) continue;
      const value = data[at + place] as number;
      if (Number.isNaN(value)) continue;
      const id = ids[i] ?? '';
      if (!Number.isNaN(found) && compareTexts(id, foundId) <= 0) continue;
      found = value;
      foundTime = data[at + TIME] as number;
      foundId = id;
    }
    return found;
  };
}

function since(width: number, { place, bit }: MaskBit): Aggregate {
  return ({ events: { data }, from, to, time, offset }) => {
    for (let at = (to - 1) * width; at >= from * width; at -= width) {
      if (bit !== 0 && ((data[at + place] as number) & bit) === 0) continue;
      if (data[at + OFFSET] !== offset) return time - (data[at + TIME] as number);
    }
    return null;
  };
}
