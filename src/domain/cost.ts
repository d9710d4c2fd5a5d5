const TIB = 2 ** 40;

/** Cost of reading `bytes`, in USD. @param usdPerTib price of 2^40 bytes */
export function priceOf(bytes: number, usdPerTib: number): number {
  return (bytes / TIB) * usdPerTib;
}

/** `12.3 GB`, in powers of 1000, as the warehouses' consoles show bytes billed. */
export function showBytes(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'];
  const power = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${Number((bytes / 1000 ** power).toPrecision(3))} ${units[power]}`;
}
