import type { Condition, EventFeatures, FieldType, FieldValue } from '../../event-features/definition.ts';
import type { FeatureValue, StreamEvent } from '../event.ts';
import type { Texts } from './texts.ts';

/** Indexes into a record. */
export const TIME = 0;
export const OFFSET = 1;
const FIRST_MASK = 2;

/** Filters per mask number, which must stay a 32-bit integer. */
const FILTERS_PER_MASK = 30;

/** Where a record stores whether its event meets a feature's conditions; bit 0 means no conditions. */
export interface MaskBit {
  readonly place: number;
  readonly bit: number;
}

interface Column {
  readonly field: number;
  readonly type: FieldType;
}

/**
 * What windows keep of an event, as consecutive numbers: time, offset, which filters it meets, and the values that features
 * use. A string is its code, a bool 0 or 1, null NaN.
 */
export class RecordLayout {
  /** Numbers per record. */
  readonly width: number;
  readonly #texts: Texts;
  readonly #filters: readonly ((values: readonly FieldValue[]) => boolean)[];
  readonly #filterNumbers: ReadonlyMap<string, number>;
  readonly #masks: number;
  readonly #columns: readonly Column[];
  readonly #textPlaces: readonly number[];
  readonly #fields: EventFeatures['fields'];

  constructor({ fields, features }: EventFeatures, texts: Texts) {
    this.#texts = texts;
    this.#fields = fields;
    const filters = new Map(
      features.filter(({ where }) => where.length > 0).map(({ where }) => [JSON.stringify(where), where]),
    );
    this.#filterNumbers = new Map([...filters.keys()].map((text, i) => [text, i]));
    this.#filters = [...filters.values()].map((where) => createFilter(where, fields));
    this.#masks = Math.ceil(filters.size / FILTERS_PER_MASK);
    const used = new Set(features.flatMap(({ field }) => (field === undefined ? [] : [field])));
    this.#columns = fields.flatMap(({ name, type }, field) => (used.has(name) ? [{ field, type }] : []));
    this.width = FIRST_MASK + this.#masks + this.#columns.length;
    this.#textPlaces = this.#columns.flatMap(({ type }, i) => (type === 'string' ? [FIRST_MASK + this.#masks + i] : []));
  }

  /** Index of a field's value in a record, and its type. */
  column(name: string): { readonly place: number; readonly type: FieldType } {
    const field = this.#fields.findIndex((other) => other.name === name);
    const index = this.#columns.findIndex((column) => column.field === field);
    const column = this.#columns[index];
    if (column === undefined) throw new RangeError(`no feature uses a field ${name}`);
    return { place: FIRST_MASK + this.#masks + index, type: column.type };
  }

  mask(where: readonly Condition[]): MaskBit {
    if (where.length === 0) return { place: FIRST_MASK, bit: 0 };
    const number = this.#filterNumbers.get(JSON.stringify(where)) ?? 0;
    return { place: FIRST_MASK + Math.floor(number / FILTERS_PER_MASK), bit: 1 << (number % FILTERS_PER_MASK) };
  }

  /** Converts a number of a field's column back to a value. */
  decoder(name: string): (number: number) => FeatureValue {
    const { type } = this.column(name);
    return (number) => {
      if (Number.isNaN(number)) return null;
      if (type === 'string') return this.#texts.text(number);
      return type === 'bool' ? number === 1 : number;
    };
  }

  /** Each written record must be released, since it holds strings. */
  write({ time, offset, values }: StreamEvent, into: Float64Array): void {
    into[TIME] = time;
    into[OFFSET] = offset;
    let place = FIRST_MASK;
    for (let i = 0; i < this.#filters.length; ) {
      let mask = 0;
      for (let bit = 0; bit < FILTERS_PER_MASK && i < this.#filters.length; bit += 1, i += 1) {
        if (this.#filters[i]?.(values)) mask |= 1 << bit;
      }
      into[place] = mask;
      place += 1;
    }
    for (const { field } of this.#columns) {
      into[place] = this.#number(values[field] ?? null);
      place += 1;
    }
  }

  /** @param at where the record starts in `data` */
  release(data: Float64Array, at: number): void {
    for (const place of this.#textPlaces) {
      const code = data[at + place] as number;
      if (!Number.isNaN(code)) this.#texts.release(code);
    }
  }

  #number(value: FieldValue): number {
    if (typeof value === 'string') return this.#texts.take(value);
    if (value === null) return Number.NaN;
    // Adding 0 turns -0 into 0, as JSON does.
    return Number(value) + 0;
  }
}

function createFilter(
  where: readonly Condition[],
  fields: EventFeatures['fields'],
): (values: readonly FieldValue[]) => boolean {
  const tests = where.map((condition) => {
    const field = fields.findIndex(({ name }) => name === condition.field);
    return { field, fulfils: createTest(condition) };
  });
  return (values) => {
    for (const { field, fulfils } of tests) {
      const value = values[field] ?? null;
      if (value === null || !fulfils(value)) return false;
    }
    return true;
  };
}

function createTest(condition: Condition): (value: string | number | boolean) => boolean {
  if ('is' in condition) {
    const { is } = condition;
    if (is.length === 1) return (value) => value === is[0];
    const among = new Set(is);
    return (value) => among.has(value);
  }
  const { atLeast = Number.NEGATIVE_INFINITY, below = Number.POSITIVE_INFINITY } = condition;
  return (value) => (value as number) >= atLeast && (value as number) < below;
}
