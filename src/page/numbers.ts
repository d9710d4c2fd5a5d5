// Numbers for people, always in the same format: the page must not depend on the machine's language.

const MINUS = '−';

/** `2,053` */
export function count(value: number): string {
  return decimal(value, 0);
}

/** A sum of scores: whole from ten on, with one decimal below. */
export function expected(value: number): string {
  return decimal(value, Math.abs(value) < 9.95 ? 1 : 0);
}

/** `83.6%` */
export function percent(share: number, digits = 1): string {
  return `${decimal(share * 100, digits)}%`;
}

/** A difference of sums of scores: `+20`, `−124`, `0`. */
export function change(value: number): string {
  return signed(value, expected(Math.abs(value)));
}

/** A difference of shares in percentage points: `−0.1 points`. */
export function points(difference: number): string {
  const size = decimal(Math.abs(difference) * 100, 1);
  return /[1-9]/.test(size) ? `${signed(difference, size)} points` : 'practically unchanged';
}

/** A relative change: `−6.7%`; undefined if the earlier value is 0. */
export function relative(now: number, before: number): string | undefined {
  return before === 0 ? undefined : signed(now - before, percent(Math.abs(now / before - 1)));
}

/** `0.561` */
export function measure(value: number): string {
  return decimal(value, 3);
}

/** `1,234.5` with a true minus sign. */
export function decimal(value: number, digits: number): string {
  const [whole = '', rest] = Math.abs(value).toFixed(digits).split('.');
  const text = whole.replace(/\B(?=(\d{3})+$)/g, ',') + (rest === undefined ? '' : `.${rest}`);
  return value < 0 && /[1-9]/.test(text) ? `${MINUS}${text}` : text;
}

/** Without a sign if the number is rounded to 0. */
function signed(value: number, text: string): string {
  return /[1-9]/.test(text) ? `${value < 0 ? MINUS : '+'}${text}` : text;
}
