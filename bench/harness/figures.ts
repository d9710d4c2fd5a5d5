// From single runs to figures: medians with their spread, ratios pair by pair.

/**
 * @param runs all runs of one table and one model, with `name`, `kind`, `job`, `peer` and `repetition`
 * @returns one line per case, in the order in which they first ran
 */
export function figuresOf(runs, rows) {
  const names = [...new Set(runs.map(({ name }) => name))];
  return names.map((name) => {
    const own = runs.filter((run) => run.name === name);
    const good = own.filter(({ problem }) => problem === undefined);
    const spreadOf = (pick) => spread(good.map(pick).filter((value) => value !== undefined));
    const rate = (run) => run.rowsPerSecond ?? rows / run.wall;
    return {
      name,
      kind: own[0].kind,
      failed: own.filter(({ problem }) => problem !== undefined).map(({ problem }) => problem),
      runs: own.length,
      // The raw rate runs for as long as it is told to.
      ...(own[0].kind !== 'raw' && {
        wall: spreadOf(({ wall }) => wall),
        cpu: spreadOf(({ cpu }) => cpu),
        peak: spreadOf(({ peak }) => peak),
        memory: good.find(({ memory }) => memory !== 'PSS')?.memory ?? 'PSS',
      }),
      rowsPerSecond: spreadOf(rate),
      ...(own[0].kind === 'score-batch' && {
        ofRaw: pairs(good, runs, 'raw onnxruntime', (run, raw) => rate(run) / rate(raw)),
        ratios: ratiosOf(good, runs),
        firstBatch: spreadOf(({ firstBatch }) => firstBatch),
        mainBusy: spreadOf(({ mainBusy }) => mainBusy),
        mainCpu: spreadOf(({ mainCpu, wall }) => mainCpu && mainCpu / wall),
      }),
    };
  });
}

/** Wall time beside each peer's, which does the same job where it has a script for it, else its only one. */
function ratiosOf(good, runs) {
  const peers = [...new Set(runs.flatMap(({ peer }) => peer ?? []))];
  return Object.fromEntries(
    peers.flatMap((peer) => {
      const own = runs.filter((run) => run.peer === peer);
      const beside = own.find(({ job }) => job === good[0]?.job) ?? (peer === 'python' ? undefined : own[0]);
      return beside ? [[peer, pairs(good, runs, beside.name, (run, other) => run.wall / other.wall)]] : [];
    }),
  );
}

/** A ratio in each round by itself: what slows the machine down for a while slows both. */
function pairs(good, runs, other, ratio) {
  const values = good.flatMap((run) => {
    const beside = runs.find(
      ({ name, repetition, problem }) => name === other && repetition === run.repetition && problem === undefined,
    );
    return beside ? [ratio(run, beside)] : [];
  });
  return spread(values);
}

/** Median, least and most; undefined of nothing. */
function spread(values) {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return {
    median: (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2,
    least: sorted[0],
    most: sorted.at(-1),
  };
}
