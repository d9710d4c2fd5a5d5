import { ALL_AREAS, type AreaName, type Cannot, conformance, onlyCases } from '../../conformance/suite.ts';
import { makeSubject } from '../subject.ts';

const ONE_PROCESS =
  'a DuckDB file is opened by one process at a time, which two warehouses in one process are not; test/race.test.ts starts two';

const CANNOT: Cannot = {
  'puts a key into the same chunk whatever the other rows are':
    'a chunk is a range of rows of one file; keys that repeat are counted over all of them',
  'lets one of two runs publish that come to the gate at the same time': ONE_PROCESS,
  'publishes once where two processes of one run come to the gate at the same time': ONE_PROCESS,
  'lets one of two processes after the other decide, each with what the one before wrote': ONE_PROCESS,
};

/** What a weekly run asks of its warehouse. */
const WEEKLY: readonly AreaName[] = [
  'source',
  'values',
  'names',
  'staging',
  'publication',
  'publish lock',
  'reading',
  'tables',
  'ledger',
  'drift',
];

export function weeklyOnDuckdb(): void {
  conformance('DuckDB', WEEKLY, makeSubject, CANNOT);
  onlyCases('DuckDB', CANNOT);
}

/** What takes longer: corrections, slices, erasures. */
export function restOnDuckdb(): void {
  const rest = ALL_AREAS.filter((area) => !WEEKLY.includes(area));
  conformance('DuckDB', rest, makeSubject, CANNOT);
}
