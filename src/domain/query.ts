/** A query parameter, with its value from the window. */
export interface QueryParameter {
  readonly name: string;
  /** `timestamp` is an instant, `datetime` a wall-clock time in the job's zone. */
  readonly type: 'timestamp' | 'datetime' | 'date';
  /** ISO string. */
  readonly value: string;
}

/** A query split at its parameters: `texts[0] parameters[0] texts[1] …`. Each warehouse inserts its own placeholders. */
export interface Query {
  /** The query's file, or its key in the job file; for messages. */
  readonly name: string;
  readonly texts: readonly string[];
  readonly parameters: readonly QueryParameter[];
}

/** The query as its author wrote it, for plan and ledger. */
export function showQuery({ texts, parameters }: Query): string {
  return texts.map((text, i) => text + (parameters[i] === undefined ? '' : `:${parameters[i].name}`)).join('');
}
