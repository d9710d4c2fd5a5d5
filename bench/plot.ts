// Draws an SVG of how peak memory and wall time per row grow with the number of rows, from results of the benchmark.
//
//   npm run bench -- --rows 1000000,10000000,100000000 --models mlp --memory --json growth.json
//   npm run --silent bench:plot -- growth.json > docs/performance.svg
//
// Several files are drawn together; if a case was measured twice at the same number of rows, the last one counts.
import { readFileSync } from 'node:fs';
import { drawLines, type Panel, type Point } from './harness/svg.ts';
import type { Results } from './harness/table.ts';

/** A case at a number of rows: MiB, and microseconds per row. */
interface Measured extends Point {
  readonly peak: number;
  readonly perRow: number;
}

const MIB = 2 ** 20;
const PANELS: readonly Panel<Measured>[] = [
  { title: 'Peak memory, MiB', pick: ({ peak }) => peak },
  { title: 'Wall time per row, µs', pick: ({ perRow }) => perRow },
];

const files = process.argv.slice(2);
const series = new Map<string, Map<number, Measured>>();
for (const { name, point } of files.flatMap(readResults)) {
  const points = series.get(name) ?? new Map<number, Measured>();
  series.set(name, points.set(point.x, point));
}
if (series.size === 0) {
  process.stderr.write('error: no measured runs to draw\nhint: npm run --silent bench:plot -- RESULTS.json > chart.svg\n');
  process.exit(64);
}
const lines = [...series].map(([name, points]) => ({ name, points: [...points.values()] }));
process.stdout.write(drawLines(PANELS, lines, 'rows'));

function readResults(file: string): { name: string; point: Measured }[] {
  const { results } = JSON.parse(readFileSync(file, 'utf8')) as Pick<Results, 'results'>;
  return results.flatMap(({ scenario, model, rows, cases }) =>
    cases.flatMap(({ name, peak, wall }) => {
      if (peak === undefined || wall === undefined) return [];
      const point = { x: rows, peak: peak.median / MIB, perRow: (wall.median / rows) * 1e6 };
      return [{ name: [name, model, ...(scenario === 'plain' ? [] : [scenario])].join(', '), point }];
    }),
  );
}
