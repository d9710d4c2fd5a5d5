import { describe, expect, it } from 'vitest';
import { amendment } from './amendment.ts';
import { classes } from './classes.ts';
import { comparison } from './comparison.ts';
import { current } from './current.ts';
import { drift } from './drift.ts';
import { earlier } from './earlier.ts';
import { erasure } from './erase.ts';
import { history } from './history.ts';
import { ledger } from './ledger.ts';
import { names } from './names.ts';
import { publication } from './publication.ts';
import { publishLock } from './publish-lock.ts';
import { reading } from './reading.ts';
import { shadow } from './shadow.ts';
import { source } from './source.ts';
import { staging } from './staging.ts';
import type { Area, MakeSubject } from './subject.ts';
import { tables } from './tables.ts';
import { values } from './values.ts';

// What every warehouse promises the flow: `Source`, `Sink` and `Ledger` of src/warehouse/warehouse.ts. A warehouse has one file or more that
// name the areas that they ask for.

const AREAS = {
  source,
  values,
  names,
  staging,
  publication,
  classes,
  current,
  amendment,
  'publish lock': publishLock,
  reading,
  tables,
  ledger,
  drift,
  history,
  comparison,
  'earlier scores': earlier,
  erasure,
  shadow,
} satisfies Record<string, Area>;

export type AreaName = keyof typeof AREAS;

export const ALL_AREAS = Object.keys(AREAS) as AreaName[];

/** Cases that a warehouse cannot be asked here, by title, with the reason. */
export type Cannot = Readonly<Record<string, string>>;

export function conformance(
  warehouse: string,
  areas: readonly AreaName[],
  makeSubject: MakeSubject,
  cannot: Cannot = {},
): void {
  describe.each(areas)(`${warehouse}: %s`, (area) => {
    AREAS[area]((title, test) => {
      const reason = cannot[title];
      if (reason === undefined) it(title, test);
      else it.skip(`${title} (not here: ${reason})`, test);
    }, makeSubject);
  });
}

/** To be called once for each warehouse, so that no exception outlives its case. */
export function onlyCases(warehouse: string, cannot: Cannot): void {
  it(`${warehouse}: what it cannot be asked here are cases of the suite`, () => {
    const titles = new Set<string>();
    const never = () => Promise.reject(new Error('no case runs here'));
    for (const area of Object.values(AREAS)) area((title) => void titles.add(title), never);
    expect(Object.keys(cannot).filter((title) => !titles.has(title))).toEqual([]);
  });
}
