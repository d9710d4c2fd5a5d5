import type { Figures, Run, Spread } from './figures.ts';
import type { Flags, Peer } from './flags.ts';
import { type MachineFacts, showMachine } from './machine.ts';
import { SCENARIOS, type ScenarioName } from './scenarios.ts';

/** All runs of one table and one model. */
export interface Result {
  readonly scenario: ScenarioName;
  readonly model: string;
  readonly rows: number;
  readonly cases: readonly Figures[];
  readonly measured: readonly Run[];
}

/** All measurements of one call of the command. */
export interface Results {
  readonly command: string;
  readonly machine: MachineFacts;
  readonly flags: Flags;
  readonly results: readonly Result[];
}

type TableColumn = readonly [title: string, cell: (figures: Figures) => string | undefined];

const MIB = 2 ** 20;

/** Results as Markdown: a table per model and number of rows, the failures, and the machine. */
export function showResults({ results, machine, command }: Results): string {
  const parts = results.map(
    ({ scenario, model, rows, cases }) => `### ${titleOf(scenario, model, rows)}\n\n${showTable(cases)}`,
  );
  return `${parts.join('\n')}\n${showMachine(machine)}\n\n    ${command}\n`;
}

function titleOf(scenario: ScenarioName, model: string, rows: number): string {
  const counted = `${model}, ${rows.toLocaleString('en')} rows`;
  return scenario === 'plain' ? counted : `${scenario}, ${counted}: ${SCENARIOS[scenario].what}`;
}

function showTable(cases: readonly Figures[]): string {
  const peers = [...new Set(cases.flatMap(({ ratios }) => Object.keys(ratios ?? {}) as Peer[]))];
  const columns: TableColumn[] = [
    ['', ({ name, failed, runs }) => (failed.length === runs ? `${name} (failed)` : name)],
    ['wall s', ({ wall }) => range(wall, 2)],
    ['CPU s', ({ cpu }) => range(cpu, 1)],
    [`peak MiB (${measureOf(cases)})`, ({ peak }) => range(peak, 0, 1 / MIB)],
    ['rows/s', ({ rowsPerSecond }) => rowsPerSecond && Math.round(rowsPerSecond.median).toLocaleString('en')],
    ['of raw rate', ({ ofRaw }) => ofRaw?.median.toFixed(2)],
    ...peers.map((peer): TableColumn => [`÷ ${peer}`, ({ ratios }) => ratios?.[peer]?.median.toFixed(2)]),
    ['first batch s', ({ firstBatch }) => firstBatch?.median.toFixed(2)],
    ['main thread busy', ({ mainBusy }) => mainBusy && percent(mainBusy.median)],
    ['main thread CPU', ({ mainCpu }) => mainCpu && percent(mainCpu.median)],
  ];
  const shown = columns.filter(([title, cell]) => title === '' || cases.some((one) => cell(one) !== undefined));
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
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

/** If the kernel does not report shared pages, they count for each process. */
function measureOf(cases: readonly Figures[]): string {
  return cases.some(({ memory }) => memory === 'RSS') ? 'RSS' : 'PSS';
}

function range(spread: Spread | undefined, digits: number, factor = 1): string | undefined {
  if (spread === undefined) return undefined;
  const show = (value: number) => (value * factor).toFixed(digits);
  const [median, least, most] = [show(spread.median), show(spread.least), show(spread.most)];
  return least === most ? median : `${median} (${least}–${most})`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
