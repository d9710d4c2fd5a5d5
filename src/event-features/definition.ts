/** When a feature looks: once every event of its window must have arrived, or immediately at what has arrived. */
export const AS_OF = ['event', 'arrival'] as const;
export type AsOf = (typeof AS_OF)[number];

export const FIELD_TYPES = ['string', 'int64', 'float64', 'bool'] as const;
export type FieldType = (typeof FIELD_TYPES)[number];

/** A value of an event. An int64 is within ±2^53, because not every JSON reader preserves larger integers. */
export type FieldValue = string | number | boolean | null;

/** Event times must be in `[OLDEST_TIME, NEWEST_TIME)`, epoch milliseconds; seconds or microseconds are outside. */
export const OLDEST_TIME = Date.UTC(1990, 0);
export const NEWEST_TIME = Date.UTC(2100, 0);

/** A property of an event, and the column of the same name in the warehouse table. */
export interface EventField {
  readonly name: string;
  readonly type: FieldType;
}

/** A condition on one field. Null meets none. */
export type Condition =
  | { readonly field: string; readonly is: readonly (string | number | boolean)[] }
  /** `atLeast <= value < below`; an undefined bound does not limit. */
  | { readonly field: string; readonly atLeast: number | undefined; readonly below: number | undefined };

export const AGGREGATES = ['count', 'sum', 'mean', 'min', 'max', 'distinct', 'last', 'since'] as const;
export type Aggregate = (typeof AGGREGATES)[number];

/**
 * A feature of one event e, over the accepted events of its key (see docs/event-features.md):
 *
 * - the window is `time(e) - windowMs <= time(f) <= time(e)`: both bounds inclusive, so ties see each other and e sees itself;
 * as of arrival, also `offset(f) <= offset(e)`;
 * - `where` (all conditions) selects among them, e included;
 * - count: how many have a value in `field`, or how many there are without a field; distinct: how many different values; both 0
 * for none;
 * - sum: exact, within int64; mean: double(sum) / double(count), of non-null values; min, max; all null for none;
 * - last: the non-null value at the greatest (time, id), ids compared by UTF-8 bytes;
 * - since: milliseconds from the newest one **other than e** to e, 0 for a tie; null for none.
 */
export interface WindowFeature {
  readonly name: string;
  readonly aggregate: Aggregate;
  /** Undefined for `since`, and for a `count` of all events. */
  readonly field: string | undefined;
  readonly windowMs: number;
  readonly where: readonly Condition[];
}

/** Columns of the warehouse table with an event's Kafka position. */
interface LogColumns {
  readonly partition: string;
  readonly offset: string;
  /** Kafka's timestamp of the record, in epoch milliseconds. */
  readonly timestamp: string;
}

/** A checked feature file. */
export interface EventFeatures {
  readonly name: string;
  readonly asOf: AsOf;
  /** Names of the fields with the message key, the event's id, and its time in epoch milliseconds. */
  readonly key: string;
  readonly id: string;
  readonly time: string;
  /** All fields, those three included, in the order of the file. */
  readonly fields: readonly EventField[];
  /** An event is late if it is older than the newest of its partition by more than this. */
  readonly latenessMs: number;
  /** How far an event may be ahead of its Kafka timestamp; at most `latenessMs`. */
  readonly skewMs: number;
  /** Undefined if the warehouse table lacks such columns; `as of: arrival` needs them. */
  readonly log: LogColumns | undefined;
  readonly features: readonly WindowFeature[];
  /** SHA-256, hex, of what the features mean: unaffected by comments, order of keys, and `log`. */
  readonly digest: string;
}

/** How long an accepted event may matter to others: longest window plus lateness. */
export function horizonMs({ features, latenessMs }: Pick<EventFeatures, 'features' | 'latenessMs'>): number {
  return Math.max(0, ...features.map(({ windowMs }) => windowMs)) + latenessMs;
}
