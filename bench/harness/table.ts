import { showMachine } from './machine.mjs';
import { SCENARIOS } from './scenarios.mjs';

const MIB = 2 ** 20;

/** Results as Markdown: a table per model and number of rows, what failed, and the machine. */
export function showResults({ results, machine, command }) {
  const parts = results.map(
    ({ scenario, model, rows, cases }) => `### ${titleOf(scenario, model, rows)}\n\n${showTable(cases)}`,
  );
  return `${parts.join('\n')}\n${showMachine(machine)}\n\n    ${command}\n`;
}

function titleOf(scenario, model, rows) {
  const counted = `${model}, ${rows.toLocaleString('en')} rows`;
  return scenario === 'plain' ? counted : `${scenario}, ${counted}: ${SCENARIOS[scenario].what}`;
}

function showTable(cases) {
  const peers = [...new Set(cases.flatMap(({ ratios }) => Object.keys(ratios ?? {})))];
  const columns = [
    ['', ({ name, failed, runs }) => (failed.length === runs ? `${name} (failed)` : name)],
    ['wall s', ({ wall }) => range(wall, 2)],
    ['CPU s', ({ cpu }) => range(cpu, 1)],
    [`peak MiB (${measureOf(cases)})`, ({ peak }) => range(peak, 0, 1 / MIB)],
    ['rows/s', ({ rowsPerSecond }) => rowsPerSecond && Math.round(rowsPerSecond.median).toLocaleString('en')],
    ['of raw rate', ({ ofRaw }) => ofRaw?.median.toFixed(2)],
    ...peers.map((peer) => [`÷ ${peer}`, ({ ratios }) => ratios?.[peer]?.median.toFixed(2)]),
    ['first batch s', ({ firstBatch }) => firstBatch?.median.toFixed(2)],
    ['main thread busy', ({ mainBusy }) => mainBusy && percent(mainBusy.median)],
    ['main thread CPU', ({ mainCpu }) => mainCpu && percent(mainCpu.median)],
  ];
  const shown = columns.filter(([title, cell]) => title === '' || cases.some((one) => cell(one) !== undefined));
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const failures = cases.flatMap(({ name, failed, runs }) =>
    failed.map((problem) => `\n**${name} failed** (1 of ${runs} runs): ${problem}\n`),
  );
  return [
    line(shown.map(([title]) => title)),
    `|${shown.map((_, i) => (i === 0 ? ' :-- ' : ' --: ')).join('|')}|`,
    ...cases.map((one) => line(shown.map(([, cell]) => cell(one) ?? ''))),
    ...failures,
    '',
  ].join('\n');
}

/** Where the kernel does not say how pages are shared, they are counted for each process. */
function measureOf(cases) {
  return cases.some(({ memory }) => memory === 'RSS') ? 'RSS' : 'PSS';
}

function range(spread, digits, factor = 1) {
  if (spread === undefined) return undefined;
  const [median, least, most] = [spread.median, spread.least, spread.most].map((value) => (value * factor).toFixed(digits));
  return least === most ? median : `${median} (${least}–${most})`;
}

function percent(share) {
  return `${Math.round(share * 100)} %`;
}
