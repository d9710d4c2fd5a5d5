import { type Bin, binError } from './calibration.ts';
import { countOutcomes, type Totals } from './counts.ts';
import { countDeciles, type Gain, gainOf } from './deciles.ts';
import { type Measures, measure } from './measures.ts';
import { CONTACT_GROUPS, type ContactGroup, type EvaluatedUsers, type UserGroup } from './users.ts';

/** Most values of a segment to evaluate: those with the most users. */
export const MAX_VALUES = 100;
/** Values of a segment that also get deciles and calibration bins. */
const DETAILED_VALUES = 10;

/** A column to break users down by, and its values, those with the most users first. */
export interface Segment {
  readonly name: string;
  readonly values: readonly (string | null)[];
}

/** A row of the evaluation table, without the columns that identify the publication. */
export interface EvaluationRow {
  readonly segment: string;
  readonly segmentValue: string | null;
  readonly contact: ContactGroup;
  readonly part: 'overall' | 'decile' | 'calibration';
  /** 0 for `overall`. */
  readonly bin: number;
  readonly users: number;
  readonly positives: number;
  readonly meanScore: number | undefined;
  readonly measures?: Measures;
  readonly gain?: Gain;
  readonly calibrationError?: number | undefined;
}

interface RowOptions {
  readonly segments: readonly Segment[];
  /** Whether it is known who was contacted. */
  readonly byContact: boolean;
}

/**
 * The rows of an evaluation. Every group has an overall row. All users and the largest values of each segment also have deciles
 * and calibration bins. Groups without users are left out.
 */
export function evaluationRows(users: EvaluatedUsers, { segments, byContact }: RowOptions): EvaluationRow[] {
  const contacts = byContact ? CONTACT_GROUPS : (['all'] as const);
  const everybody = users.group();
  const wholes = contacts.map((contact) => ({ contact, all: measure(countOutcomes(everybody, contact)) }));
  const everyone = { segment: 'all', segmentValue: 'all' };
  return [
    ...wholes.flatMap(({ contact, all }) => groupRows({ ...everyone, contact }, all, { all, group: everybody })),
    ...segments.flatMap(({ name, values }, segment) =>
      values.flatMap((segmentValue, i) => {
        const own = users.group({ segment, value: i + 1 });
        const group = i < DETAILED_VALUES ? own : undefined;
        return wholes.flatMap(({ contact, all }) =>
          groupRows({ segment: name, segmentValue, contact }, measure(countOutcomes(own, contact)), { all, group }),
        );
      }),
    ),
  ];
}

type GroupName = Pick<EvaluationRow, 'segment' | 'segmentValue' | 'contact'>;

interface Surroundings {
  /** The users to compare the group with. */
  readonly all: Totals;
  /** The users of the group; undefined if its deciles and bins are not written. */
  readonly group: UserGroup | undefined;
}

function groupRows(name: GroupName, measures: Measures, { all, group }: Surroundings): EvaluationRow[] {
  const { users, positives, meanScore, calibrationError, calibration } = measures;
  if (users === 0) return [];
  const overall: EvaluationRow = {
    ...name,
    ...{ part: 'overall', bin: 0, users, positives, meanScore, measures, calibrationError },
    gain: gainOf(measures, all),
  };
  if (group === undefined) return [overall];
  return [
    overall,
    ...countDeciles(group, name.contact).map((bin) => ({ ...binRow(name, 'decile', bin), gain: gainOf(bin, measures) })),
    ...calibration.map((bin) => ({ ...binRow(name, 'calibration', bin), calibrationError: binError(bin) })),
  ];
}

function binRow(name: GroupName, part: EvaluationRow['part'], { bin, users, positives, meanScore }: Bin): EvaluationRow {
  return { ...name, part, bin, users, positives, meanScore };
}
