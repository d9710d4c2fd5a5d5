import type { Window } from '../domain/window.ts';
import { dayStart, parseDate, parseWeek, plusDays } from '../window/calendar.ts';

/**
 * Whether a model was trained on users of the window.
 *
 * @param through ISO week or date of the last training data, as in `trained.through` of model.yaml
 * @returns null if unknown
 */
export function isInSample({ start, zone }: Pick<Window, 'start' | 'zone'>, through: string | undefined): boolean | null {
  if (through === undefined) return null;
  const monday = parseWeek(through);
  const date = parseDate(through);
  const after = monday === undefined ? date && plusDays(date, 1) : plusDays(monday, 7);
  return after === undefined ? null : start.getTime() < dayStart(after, zone);
}
