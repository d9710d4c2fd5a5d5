/** A value that a window gives to a query. */
export interface QueryParameter {
  readonly name: string;
  /** `timestamp` is an instant, `datetime` a wall-clock time of the job's zone. */
  readonly type: 'timestamp' | 'datetime' | 'date';
  /** ISO text. */
  readonly value: string;
}

/** A query cut at its parameters: `texts[0] parameters[0] texts[1] …`; a warehouse writes its own placeholders between. */
export interface Query {
  /** Its file, or the key of the job file that holds it; for messages. */
  readonly name: string;
  readonly texts: readonly string[];
  readonly parameters: readonly QueryParameter[];
}

/** The query as its author wrote it, for plan and ledger. */
export function showQuery({ texts, parameters }: Query): string {
  return texts.map((text, i) => text + (parameters[i] === undefined ? '' : `:${parameters[i].name}`)).join('');
}
