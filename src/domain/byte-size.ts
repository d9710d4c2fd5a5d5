/** `50GB`, `1.5 TiB`: a number and a unit, in powers of 1000 or 1024. */
export const BYTE_SIZE = /^(\d+(?:\.\d+)?)\s?([KMGT]i?)?B$/;

/** `50GB` → 50,000,000,000; `512MiB` → 536,870,912. @returns undefined if the string is not a size */
export function parseByteSize(text: string): number | undefined {
  const [, number, prefix = ''] = BYTE_SIZE.exec(text) ?? [];
  if (number === undefined) return undefined;
  const power = 'KMGT'.indexOf(prefix.charAt(0)) + (prefix === '' ? 0 : 1);
  return Math.floor(Number(number) * (prefix.endsWith('i') ? 1024 : 1000) ** power);
}
