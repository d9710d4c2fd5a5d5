/** Keys per generation: at most some tens of megabytes, however many keys there are. */
const KEYS = 50_000;

/** In which partition keys were seen, for the newest 50,000 to 100,000 keys of this process. */
export interface KeyPlaces {
  /** @returns another partition in which the key was seen; undefined if there is none, or it was forgotten */
  see(key: string, partition: number): number | undefined;
}

export function rememberKeyPlaces(most = KEYS): KeyPlaces {
  let young = new Map<string, number>();
  let old = new Map<string, number>();
  return {
    see(key, partition) {
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
