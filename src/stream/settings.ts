import type { EventFeatures, FieldType } from '../event-features/definition.ts';

/** How Kafka is reached. */
export interface KafkaSettings {
  /** `host:port` */
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly tls:
    | { readonly ca: string | undefined; readonly cert: string | undefined; readonly key: string | undefined }
    | undefined;
  readonly sasl:
    | { readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'; readonly username: string; readonly password: string }
    | undefined;
  /** Of what is written; none unless it is given. */
  readonly compression?: 'none' | 'gzip' | 'snappy' | 'lz4' | undefined;
}

/** Where static attributes come from. */
export type AttributeSettings =
  | {
      readonly topic: string;
      readonly columns: readonly { readonly name: string; readonly type: FieldType }[];
      /** How far behind the input the stream may be while SQL still finds every version that a score names; an hour by default. */
      readonly maxLagMs?: number;
    }
  | {
      readonly warehouse: string;
      readonly query: string;
      /** Column of the key, and of the version; undefined if rows are overwritten. */
      readonly key: string;
      readonly version: string | undefined;
      readonly refreshMs: number;
      /** Rows older than this are not scored with: the process ends; 12 refreshes by default. */
      readonly maxAgeMs?: number;
    };

interface StreamLimits {
  /** Accepted events of a key in memory. */
  readonly eventsPerKey: number;
  /** Bytes of the windows of all partitions; beyond, reading pauses and then the process ends (69). */
  readonly stateBytes: number;
  readonly attributeRows: number;
  /** Estimated memory of attributes; 1 GiB by default. */
  readonly attributeBytes?: number;
  /** Bytes of a record of the input; a larger one goes to the dead-letter topic without its value. */
  readonly messageBytes: number;
  /** Events of a transaction. */
  readonly batchEvents: number;
}

/** A decision: scores of at least `from` millionths, up to the next one. */
export interface Decision {
  readonly name: string;
  readonly from: number;
}

/** A stream job, with the files that it names read. */
export interface StreamSettings {
  readonly name: string;
  /** Absolute path of the job file, and the project root. */
  readonly file: string;
  readonly root: string;
  /** Absolute path of the bundle. */
  readonly model: string;
  /** Class whose probability is the score, for bundles with classes. */
  readonly scoreClass: string | undefined;
  readonly features: EventFeatures;
  /** Feature of the model → window feature, field or attribute, where the names differ. */
  readonly renamed: Readonly<Record<string, string>>;
  readonly kafka: KafkaSettings;
  readonly group: string;
  readonly input: string;
  readonly output: { readonly scores: string; readonly deadLetter: string; readonly alerts: string | undefined };
  /** Ascending, the first from 0; empty for none. */
  readonly decisions: readonly Decision[];
  /** Decisions whose events go to the alert topic. */
  readonly alertOn: readonly string[];
  readonly attributes: AttributeSettings | undefined;
  readonly limits: StreamLimits;
  /** As of event: a partition without records for so long has its pending events scored, marked; undefined: never. */
  readonly idleMs: number | undefined;
  readonly metrics: { readonly host: string; readonly port: number } | undefined;
}
