/** A share and its limit with three digits, or with as many digits as it takes to differ. */
export function percents(measured: number, limit: number): [measured: string, limit: string] {
  const shown = (share: number, digits: number) => `${Number((share * 100).toPrecision(digits))} %`;
  for (let digits = 3; digits < 15; digits += 1) {
    if (shown(measured, digits) !== shown(limit, digits)) return [shown(measured, digits), shown(limit, digits)];
  }
  return [`${measured * 100} %`, `${limit * 100} %`];
}
