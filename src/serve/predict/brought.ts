import type { FeatureLookup, KeyValue } from '../feature-lookup.ts';
import { readKey } from '../lookup-key.ts';

/** Features that rows do not bring and a store has. */
export interface Lacking {
  /** Rows that lack a feature, in order, with their key values. */
  readonly rows: readonly number[];
  readonly keys: readonly (readonly KeyValue[])[];
  /** Whether a row lacks the feature: even null counts as having it. */
  lacks(row: number, feature: number): boolean;
}

/** Tracks which features and keys rows bring. */
export interface Brought {
  feature(row: number, feature: number): void;
  /** @returns whether the name is a key, and if its value is wrong what it must be */
  key(row: number, name: string, value: unknown): { readonly isKey: boolean; readonly wrong?: string | undefined };
  /** @param problem called for each row that lacks a feature and a key */
  lacking(problem: (row: number, key: string) => void): Lacking;
}

/** @param text most characters of a string */
export function collectBrought(
  { keys, stored }: FeatureLookup,
  { rows, text }: { readonly rows: number; readonly text: number },
): Brought {
  const has = new Uint8Array(rows * stored.length);
  const given = Array.from({ length: rows }, () => new Array<KeyValue | undefined>(keys.length).fill(undefined));
  const positions = new Map(keys.map(({ name }, i) => [name, i]));
  /** Keys with a wrong value are not reported as missing, too. */
  const refused = new Set<number>();

  const lacks = (row: number, feature: number): boolean => stored[feature] === true && has[row * stored.length + feature] === 0;

  return {
    feature(row, feature) {
      has[row * stored.length + feature] = 1;
    },
    key(row, name, value) {
      const position = positions.get(name);
      const key = position === undefined ? undefined : keys[position];
      if (position === undefined || key === undefined) return { isKey: false };
      if (value === null) return { isKey: true };
      const read = readKey(key, value, text);
      if ('problem' in read) {
        refused.add(row);
        return { isKey: true, wrong: read.problem };
      }
      (given[row] as (KeyValue | undefined)[])[position] = read.value;
      return { isKey: true };
    },
    lacking(problem) {
      const lacking: number[] = [];
      for (let row = 0; row < rows; row += 1) {
        if (!stored.some((_, feature) => lacks(row, feature))) continue;
        lacking.push(row);
        const missing = given[row]?.indexOf(undefined) ?? -1;
        const name = keys[missing]?.name;
        if (name !== undefined && !refused.has(row)) problem(row, name);
      }
      return { rows: lacking, keys: lacking.map((row) => given[row] as KeyValue[]), lacks };
    },
  };
}
