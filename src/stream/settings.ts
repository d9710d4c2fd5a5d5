import type { EventFeatures, FieldType } from '../event-features/definition.ts';

/** How to reach Kafka. */
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
  /** For output records; undefined for none. */
  readonly compression?: 'none' | 'gzip' | 'snappy' | 'lz4' | undefined;
}

/** Where static attributes come from. */
export type AttributeSettings =
  | {
      readonly topic: string;
      readonly columns: readonly { readonly name: string; readonly type: FieldType }[];
      /**
       * How far the stream may lag behind the input while SQL still finds every version that a score names; an hour by default.
       */
      readonly maxLagMs?: number;
    }
  | {
      readonly warehouse: string;
      readonly query: string;
      /** Columns of the key and of the version; undefined if rows are overwritten. */
      readonly key: string;
      readonly version: string | undefined;
      readonly refreshMs: number;
      /** If rows become older than this the process ends; 12 refreshes by default. */
      readonly maxAgeMs?: number;
    };

interface StreamLimits {
  /** Most accepted events of a key in memory. */
  readonly eventsPerKey: number;
  /** Most bytes of the windows of all partitions; beyond, reading pauses, and then the process ends (69). */
  readonly stateBytes: number;
  readonly attributeRows: number;
  /** Most estimated memory of attributes; 1 GiB by default. */
  readonly attributeBytes?: number;
  /** Most bytes of an input record; a larger one goes to the dead-letter topic without its value. */
  readonly messageBytes: number;
  /** Most events per transaction. */
  readonly batchEvents: number;
}

/** A decision: scores from `from` millionths up to the next decision. */
export interface Decision {
  readonly name: string;
  readonly from: number;
}

/** A stream job, including the files that it names. */
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
  /** As of event: pending events of a partition without records for this long are scored, marked `idle`; undefined: never. */
  readonly idleMs: number | undefined;
  readonly metrics: { readonly host: string; readonly port: number } | undefined;
}
