import type { Bin } from './calibration.ts';
import { MILLION, type Totals } from './counts.ts';
import type { ContactGroup, UserGroup } from './users.ts';

const DECILES = 10;

/** How a group's outcomes compare with those of all users. */
export interface Gain {
  /** Share of positives in the group, divided by that of all users; undefined if nobody's outcome came true. */
  readonly lift: number | undefined;
  /** Share of all positives that are in the group; undefined if nobody's outcome came true. */
  readonly capture: number | undefined;
}

export function gainOf({ users, positives }: Pick<Totals, 'users' | 'positives'>, all: Totals): Gain {
  if (all.positives === 0 || users === 0) return { lift: undefined, capture: undefined };
  return { lift: positives / users / (all.positives / all.users), capture: positives / all.positives };
}

/** Users by their published decile, 1 with the highest scores; deciles without users are left out. */
export function countDeciles(group: UserGroup, contact: ContactGroup): Bin[] {
  const deciles = Array.from({ length: DECILES }, (_, i) => ({ bin: i + 1, users: 0, positives: 0, millionths: 0 }));
  for (let i = 0; i < group.size; i += 1) {
    const decile = deciles[group.decile(i) - 1];
    if (decile === undefined || !group.isIn(i, contact)) continue;
    decile.users += 1;
    decile.positives += group.cameTrue(i) ? 1 : 0;
    decile.millionths += group.score(i);
  }
  return deciles
    .filter(({ users }) => users > 0)
    .map(({ bin, users, positives, millionths }) => ({ bin, users, positives, meanScore: millionths / users / MILLION }));
}
