import type { StoreAddress } from '../domain/store-address.ts';
import type { ObjectMark } from './mark.ts';

/** An object as last seen. */
export interface StoredObject {
  /** Value for a precondition: the generation (Google) or the ETag (S3). */
  readonly version: string;
  /** Who wrote it; undefined if it was not score-batch. */
  readonly mark: ObjectMark | undefined;
}

/** A file to put in place of the object that was found. */
export interface Upload {
  /** Local file, read in chunks. */
  readonly file: string;
  /** Media type. */
  readonly type: string;
  readonly mark: ObjectMark;
  /** Version of the object that may be replaced; undefined if there must be none. */
  readonly version: string | undefined;
}

/**
 * An object store. Objects appear whole or not at all. Every method retries transient failures for a bounded time, and rejects
 * with the reason of the store's signal if that is aborted.
 */
export interface ObjectStore {
  /**
   * @returns undefined if there is no such object
   * @throws ScoreBatchError `permission`, `unavailable`, or `configuration` if there is no such bucket or the client is not installed
   */
  look(address: StoreAddress): Promise<StoredObject | undefined>;
  /**
   * Puts a file in place, unless the object has changed since `version` was read.
   *
   * @returns `changed` if it has; if an answer was lost the file may still be in place, so check whose object it is
   * @throws as `look`
   */
  put(address: StoreAddress, upload: Upload): Promise<'in place' | 'changed'>;
  /** Checks the right to write an object, without leaving one. @throws as `look` */
  mayWrite(address: StoreAddress): Promise<void>;
  /** Names of the objects that begin with the address's name. @throws as `look` */
  list(prefix: StoreAddress): Promise<ReadonlySet<string>>;
}
