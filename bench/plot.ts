// Draws how peak memory and wall time per row grow with the rows, from results of the benchmark, as SVG.
//
//   npm run bench -- --rows 1000000,10000000,100000000 --models mlp --memory --json growth.json
//   node scripts/plot-bench.mjs growth.json > docs/performance.svg
//
// Several files are drawn together; where a case was measured twice at the same rows, the last one counts.
import { readFileSync } from 'node:fs';
import { drawLines } from '../bench/harness/svg.mjs';

const MIB = 2 ** 20;
const PANELS = [
  { title: 'Peak memory, MiB', pick: ({ peak }) => peak },
  { title: 'Wall time per row, µs', pick: ({ perRow }) => perRow },
];

const files = process.argv.slice(2);
const series = files.flatMap((file) => readResults(file)).reduce(gather, new Map());
if (series.size === 0) {
  process.stderr.write('error: no measured runs to draw\nhint: node scripts/plot-bench.mjs RESULTS.json > chart.svg\n');
  process.exit(64);
}
const lines = [...series].map(([name, points]) => ({ name, points: [...points.values()] }));
process.stdout.write(drawLines(PANELS, lines, 'rows'));

function readResults(file) {
  const { results } = JSON.parse(readFileSync(file, 'utf8'));
  return results.flatMap(({ scenario, model, rows, cases }) =>
    cases
      .filter(({ peak, wall }) => peak !== undefined && wall !== undefined)
      .map(({ name, peak, wall }) => ({
        name: [name, model, ...(scenario === undefined || scenario === 'plain' ? [] : [scenario])].join(', '),
        point: { x: rows, peak: peak.median / MIB, perRow: (wall.median / rows) * 1e6 },
      })),
  );
}

function gather(series, { name, point }) {
  if (!series.has(name)) series.set(name, new Map());
  series.get(name).set(point.x, point);
  return series;
}
