/** A share with three digits: `1.25 %`. */
export function percent(share: number): string {
  return shown(share, 3);
}

/** A share and its limit with three digits, or with as many digits as it takes to differ. */
export function percents(measured: number, limit: number): [measured: string, limit: string] {
  for (let digits = 3; digits < 15; digits += 1) {
    if (shown(measured, digits) !== shown(limit, digits)) return [shown(measured, digits), shown(limit, digits)];
  }
  return [`${measured * 100} %`, `${limit * 100} %`];
}

function shown(share: number, digits: number): string {
  return `${Number((share * 100).toPrecision(digits))} %`;
}
