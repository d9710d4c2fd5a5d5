import { grouped } from '../domain/counted.ts';

/** Three digits, with only as many decimals as they take: `0.0123`, `1.53`, `12.2`, `1,890`. */
export function amount(value: number): string {
  if (Math.abs(value) >= 100) return grouped(Math.round(value));
  return value.toLocaleString('en', { maximumSignificantDigits: 3 });
}

/** Rows, which on average may be a fraction. */
export function rowsText(rows: number): string {
  return rows >= 10 ? grouped(Math.round(rows)) : amount(rows);
}

/** `61.2 %` */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** `15 min`, `1 h`, `168 h` */
export function span(minutes: number): string {
  return minutes % 60 === 0 ? `${grouped(minutes / 60)} h` : `${amount(minutes)} min`;
}

/** Breaks text into lines of at most `width` characters, at spaces; further lines are indented. */
export function wrapped(text: string, width = 80, indent = ''): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = `${indent}${word}`;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].join('\n');
}
