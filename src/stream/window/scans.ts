import type { WindowFeature } from '../../event-features/definition.ts';
import type { FeatureValue } from '../event.ts';
import type { Aggregate } from './aggregate.ts';
import { Int64Sum } from './int64-sum.ts';
import { OFFSET, type RecordLayout, TIME } from './record-layout.ts';
import { type Selection, selectionOf, valueAt } from './selection.ts';
import { compareTexts } from './text-order.ts';
import type { Texts } from './texts.ts';

/** Computes a feature by scanning its window, which is fast for few events. */
export function createScan(feature: WindowFeature, layout: RecordLayout, texts: Texts): Aggregate {
  const selection = selectionOf(feature, layout);
  const { aggregate, field } = feature;
  const type = field === undefined ? undefined : layout.column(field).type;
  switch (aggregate) {
    case 'count':
      return selection.bit === 0 && field === undefined ? ({ from, to }) => to - from : count(selection);
    case 'sum':
    case 'mean':
      return total(selection, aggregate);
    case 'distinct':
      return type === 'string' ? distinctTexts(selection, texts) : distinctNumbers(selection);
    case 'min':
      return type === 'string' ? extremeText(selection, -1, texts) : extremeNumber(selection, false);
    case 'max':
      return type === 'string' ? extremeText(selection, 1, texts) : extremeNumber(selection, true);
    case 'last':
      return last(selection, layout.decoder(field ?? ''));
    case 'since':
      return since(selection);
  }
}

function count(selection: Selection): Aggregate {
  return ({ events: { data }, from, to }) => {
    let found = 0;
    for (let i = from; i < to; i += 1) if (!Number.isNaN(valueAt(selection, data, i))) found += 1;
    return found;
  };
}

function total(selection: Selection, shown: 'sum' | 'mean'): Aggregate {
  const exact = new Int64Sum();
  return ({ events: { data }, from, to }) => {
    exact.clear();
    for (let i = from; i < to; i += 1) {
      const value = valueAt(selection, data, i);
      if (!Number.isNaN(value)) exact.add(value);
    }
    return exact[shown];
  };
}

function distinctNumbers(selection: Selection): Aggregate {
  return ({ events: { data }, from, to }) => {
    const seen = new Set<number>();
    for (let i = from; i < to; i += 1) {
      const value = valueAt(selection, data, i);
      if (!Number.isNaN(value)) seen.add(value);
    }
    return seen.size;
  };
}

function distinctTexts(selection: Selection, texts: Texts): Aggregate {
  // Per code, the last scan that met it, which saves a set per event.
  let seen = new Uint32Array(64);
  let scan = 0;
  return ({ events: { data }, from, to }) => {
    if (seen.length < texts.end || scan === 2 ** 32 - 1) {
      seen = new Uint32Array(2 * texts.end);
      scan = 0;
    }
    scan += 1;
    let found = 0;
    for (let i = from; i < to; i += 1) {
      const code = valueAt(selection, data, i);
      if (Number.isNaN(code) || seen[code] === scan) continue;
      seen[code] = scan;
      found += 1;
    }
    return found;
  };
}

function extremeNumber(selection: Selection, isMax: boolean): Aggregate {
  return ({ events: { data }, from, to }) => {
    let extreme = Number.NaN;
    for (let i = from; i < to; i += 1) {
      const value = valueAt(selection, data, i);
      if (Number.isNaN(value)) continue;
      if (Number.isNaN(extreme) || (isMax ? value > extreme : value < extreme)) extreme = value;
    }
    return Number.isNaN(extreme) ? null : extreme;
  };
}

function extremeText(selection: Selection, sign: 1 | -1, texts: Texts): Aggregate {
  return ({ events: { data }, from, to }) => {
    let extreme: string | null = null;
    let extremeCode = -1;
    for (let i = from; i < to; i += 1) {
      const code = valueAt(selection, data, i);
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

/** The value at the greatest (time, id): newest time first, then ids break ties. */
function last(selection: Selection, decode: (number: number) => FeatureValue): Aggregate {
  return ({ events: { data, ids = [] }, from, to }) => {
    let found = Number.NaN;
    let foundTime = 0;
    let foundId = '';
    for (let i = to - 1; i >= from; i -= 1) {
      const time = data[i * selection.width + TIME] as number;
      if (!Number.isNaN(found) && time < foundTime) break;
      const value = valueAt(selection, data, i);
      const id = ids[i] ?? '';
      if (Number.isNaN(value) || (!Number.isNaN(found) && compareTexts(id, foundId) <= 0)) continue;
      found = value;
      foundTime = time;
      foundId = id;
    }
    return decode(found);
  };
}

function since(selection: Selection): Aggregate {
  return ({ events: { data }, from, to, time, offset }) => {
    for (let i = to - 1; i >= from; i -= 1) {
      const at = i * selection.width;
      if (data[at + OFFSET] !== offset && !Number.isNaN(valueAt(selection, data, i))) return time - (data[at + TIME] as number);
    }
    return null;
  };
}
