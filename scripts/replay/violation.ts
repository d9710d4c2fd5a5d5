/** A violation found by the replay. */
export class Violation extends Error {
  readonly problems: readonly string[];

  constructor(where: string, problems: readonly string[]) {
    super(
      `${where}: ${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}\n  ${problems.slice(0, 12).join('\n  ')}`,
    );
    this.problems = problems;
  }
}

/** Number of successful checks, by name. */
export type Checks = Map<string, number>;

export function held(checks: Checks, name: string, times = 1): void {
  checks.set(name, (checks.get(name) ?? 0) + times);
}
