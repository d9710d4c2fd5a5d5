import { createHash } from 'node:crypto';

/** Keys per generation: some tens of megabytes at most, whatever the number of keys and their length. */
const KEYS = 50_000;
/** As many characters as the hash that stands for a longer key, less one: no key is another one's hash. */
const LONG = 63;

/** In which partition keys were seen, as far as memory goes: the newest 50,000 to 100,000 keys of this process. */
export interface KeyPlaces {
  /** @returns the other partition in which the key was seen; undefined if there is none, or it was forgotten */
  see(key: string, partition: number): number | undefined;
}

export function rememberKeyPlaces(most = KEYS): KeyPlaces {
  let young = new Map<string, number>();
  let old = new Map<string, number>();
  return {
    see(text, partition) {
      const key = text.length > LONG ? createHash('sha256').update(text).digest('hex') : text;
      const place = young.get(key);
      if (place !== undefined) return place === partition ? undefined : place;
      const earlier = old.get(key);
      if (earlier !== undefined && earlier !== partition) return earlier;
      if (young.size >= most) {
        old = young;
        young = new Map();
      }
      young.set(key, partition);
      return undefined;
    },
  };
}
