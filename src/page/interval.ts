const Z = 1.959964;

/** 95 % interval of a share (Wilson, JASA 22, 1927). @throws RangeError without users */
export function wilson(positives: number, users: number): readonly [low: number, high: number] {
  if (users <= 0) throw new RangeError('a share of nobody has no interval');
  const share = positives / users;
  const weight = 1 + Z ** 2 / users;
  const middle = share + Z ** 2 / (2 * users);
  const half = Z * Math.sqrt((share * (1 - share)) / users + Z ** 2 / (4 * users ** 2));
  return [Math.max(0, (middle - half) / weight), Math.min(1, (middle + half) / weight)];
}
