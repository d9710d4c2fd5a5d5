/** Growing a map of a million keys takes long and makes events wait; of many small maps, only one grows at a time. */
const SHARDS = 256;

/** Row numbers by key. */
export class RowNumbers {
  readonly #shards: readonly Map<string, number>[] = Array.from({ length: SHARDS }, () => new Map<string, number>());
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: string): number | undefined {
    return this.#shard(key).get(key);
  }

  /** @param key not in the map yet */
  add(key: string, row: number): void {
    this.#shard(key).set(key, row);
    this.#size += 1;
  }

  delete(key: string): void {
    if (this.#shard(key).delete(key)) this.#size -= 1;
  }

  #shard(key: string): Map<string, number> {
    // Sequential keys differ at their ends.
    let hash = key.length;
    for (let at = Math.max(0, key.length - 6); at < key.length; at += 1) hash = (Math.imul(hash, 31) + key.charCodeAt(at)) | 0;
    const shard = this.#shards[(hash ^ (hash >>> 8)) & (SHARDS - 1)];
    if (shard === undefined) throw new Error('there is no such shard');
    return shard;
  }
}
