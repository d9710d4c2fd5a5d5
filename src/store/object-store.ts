import type { StoreAddress } from '../domain/store-address.ts';
import type { ObjectMark } from './mark.ts';

/** An object as it was when somebody looked. */
export interface StoredObject {
  /** What a precondition names: the generation (Google) or the ETag (S3). */
  readonly version: string;
  /** Who wrote it; undefined if it was not score-batch. */
  readonly mark: ObjectMark | undefined;
}

/** A file to put in place of what was found. */
export interface Upload {
  /** Local file. Read in pieces. */
  readonly file: string;
  /** Media type. */
  readonly type: string;
  readonly mark: ObjectMark;
  /** Of the object that may be replaced; undefined if there must be none. */
  readonly version: string | undefined;
}

/**
 * A store of objects. An object appears whole or not at all. Every method retries what is transient, for a bounded time, and
 * ends with the reason of the signal that it was made with.
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
   * @returns `changed` if it has; the file may be there all the same if an answer was lost, so look whose object it is
   * @throws as `look`
   */
  put(address: StoreAddress, upload: Upload): Promise<'in place' | 'changed'>;
  /** Checks the right to write an object. Leaves none. @throws as `look` */
  mayWrite(address: StoreAddress): Promise<void>;
  /** Names of the objects whose name begins with the address's. @throws as `look` */
  list(prefix: StoreAddress): Promise<ReadonlySet<string>>;
}
