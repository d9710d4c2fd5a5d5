import { expect, it } from 'vitest';
import { countProcesses } from '../../../src/serve/process/counted-processes.ts';
import type { Metric } from '../../../src/serve/process/metric.ts';
import { fakeAnswering } from './fake-answering.ts';

const rows = (value: number): Metric[] => [
  { name: 'rows', help: '', type: 'counter', aggregator: 'sum', values: [{ value, labels: { model: 'iris' } }] },
];

function sumOf(name: string, processes: readonly (readonly Metric[])[]): number {
  const values = processes.flat().filter((metric) => metric.name === name);
  return values.flatMap((metric) => metric.values).reduce((sum, { value }) => sum + value, 0);
}

it('counts a process once that ends while the others are asked, also after it has answered', async () => {
  const counts = countProcesses();
  const [quick, silent, slow] = [fakeAnswering([], rows(5)), fakeAnswering([], rows(3)), fakeAnswering([], rows(100))];
  for (const process of [quick, silent, slow]) counts.add(process);
  let answer: (metrics: readonly Metric[]) => void = () => undefined;
  slow.answer(new Promise((resolve) => (answer = resolve)));
  silent.answer(silent.ended.then(() => undefined));
  const asked = counts.all();
  await new Promise((resolve) => setImmediate(resolve));
  // One has told its counts already, the other one never does.
  quick.end();
  silent.end();
  await new Promise((resolve) => setImmediate(resolve));
  answer(rows(101));
  const found = await asked;
  expect(sumOf('rows', found)).toBe(5 + 3 + 101);
  expect(sumOf('score_batch_serve_processes', found)).toBe(1);
  slow.answer(Promise.resolve(rows(102)));
  expect(sumOf('rows', await counts.all())).toBe(5 + 3 + 102);
});

it('takes what a busy process told before, so that no counter falls', async () => {
  const counts = countProcesses();
  const busy = fakeAnswering([], rows(41));
  counts.add(busy);
  expect(sumOf('rows', await counts.all())).toBe(41);
  busy.answer(Promise.resolve(undefined));
  expect(sumOf('rows', await counts.all())).toBe(41);
});
