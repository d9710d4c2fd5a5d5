import { describe } from 'vitest';
import { type AreaName, type Cannot, conformance, onlyCases } from '../../conformance/suite.ts';
import { environment, MAY_WRITE, makeSubject, REAL } from '../subject.ts';

const SERIAL =
  'the emulator runs one statement after another and cancels none: a statement without end would hold up every other test; test/warehouse/bigquery/jobs.test.ts asks for the cancellation';

const CANNOT: Cannot = REAL === undefined ? { 'stops where it is told to, with nothing frozen': SERIAL } : {};

const on = environment() !== undefined && (REAL === undefined || MAY_WRITE);

/** Without an emulator (the last line of the output says why) or a real one that may be written to, see subject.ts, nothing is asked. */
export function onBigquery(...areas: readonly AreaName[]): void {
  describe.skipIf(!on)('on BigQuery', () => conformance('BigQuery', areas, makeSubject, CANNOT));
}

export function onlyCasesOfBigquery(): void {
  onlyCases('BigQuery', CANNOT);
}
