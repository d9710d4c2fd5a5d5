import { expect } from 'vitest';
import { classColumns } from '../../../src/domain/class-columns.ts';
import { replacedLayout } from '../../../src/domain/replaced-tables.ts';
import type { TableLayout } from '../../../src/domain/tables.ts';
import { publishRun, stageAll, startRun, type TestRun } from './run.ts';
import { type Area, withUsers } from './subject.ts';

/** One with a quote, a backslash and a letter beyond ASCII, and one with a space. */
const LABELS = ["it's \\ \u00e9", 'Other class'];
const COLUMNS = ['label', 'p_it_s_', 'p_other_class'];

/** A label of text and two probabilities that add up to one, of which one is the score. */
function settings(share: string) {
  const millionths = (value: string) => `cast(${value} as decimal(7, 6))`;
  const [label, first, second] = classColumns(LABELS);
  if (label === undefined || first === undefined || second === undefined) throw new Error('there are three columns');
  const text = `['${LABELS[0]?.replaceAll("'", "''")}', '${LABELS[1]}'][1 + cast(user_id % 2 as integer)]`;
  return {
    layout: 'narrow' as const,
    bands: { by: 'threshold' as const, bounds: [{ name: 'high', bound: 900_000 }], rest: 'low' },
    score: `${share}`,
    classes: [
      { column: label, value: text },
      { column: first, value: millionths(share) },
      { column: second, value: millionths(`1 - ${share}`) },
    ],
  };
}

/** `score.classes: all`: a label and a probability per class beside the score. */
export const classes: Area = (it, makeSubject) => {
  it('publishes the label and every probability, replaces them, and restores them byte for byte', async () => {
    const subject = await withUsers(makeSubject, 120);
    const { warehouse } = subject;
    const odd = "case when user_id < 5 then 'too odd' end";
    const first = await publishRun(warehouse, 'first', { ...settings('(user_id % 50) / 1000.0'), reject: odd });
    const then = await contents(first);
    expect(first.tables.scores.columns.map(({ name }) => name).slice(0, 6)).toEqual([
      'user_id',
      'country',
      ...COLUMNS,
      'score',
    ]);
    expect(then).toHaveLength(115);
    expect(then.slice(0, 2)).toEqual([
      ['10', LABELS[0], '0.010000', '0.990000', '0.010000'],
      ['100', LABELS[0], '0.000000', '1.000000', '0.000000'],
    ]);
    const second = await publishRun(warehouse, 'second', { ...settings('0.25'), supersedes: 'first' });
    expect((await contents(second)).slice(0, 1)).toEqual([['0', LABELS[0], '0.250000', '0.750000', '0.250000']]);
    expect(await contents(first, replacedLayout(first.tables.scores))).toEqual(then);
    expect(await first.publish(undefined, { supersedes: 'second', restored: 1, details: ROLLBACK })).toBe(true);
    expect(await contents(first)).toEqual(then);
  });

  it('counts a probability like the score: attempts that differ in one alone have another content', async () => {
    const subject = await withUsers(makeSubject, 40);
    const { warehouse } = subject;
    const given = settings('0.25');
    const contentOf = async (runId: string, value: string) => {
      const changed = given.classes.map((one, i) => (i === 2 ? { ...one, value } : one));
      const run = await startRun(warehouse, runId, { ...given, classes: changed });
      await stageAll(run, { score: given.score });
      return (await run.tally()).pinned.map(({ scored, checksum, content }) => ({ scored, checksum, content }));
    };
    const [usual, other] = [
      await contentOf('usual', 'cast(0.75 as decimal(7, 6))'),
      await contentOf('other', 'cast(0.5 as decimal(7, 6))'),
    ];
    expect(other.map(({ content: _, ...rest }) => rest)).toEqual(usual.map(({ content: _, ...rest }) => rest));
    expect(other.map(({ content }) => content)).not.toEqual(usual.map(({ content }) => content));
  });
};

const ROLLBACK = {
  rollback: { publication: 1, from: { run_id: 'second', publication: 2 }, reason: null, user: null },
};

/** Key, label, probabilities and score as text, in the order of the key's text. */
async function contents(
  { warehouse, tables }: TestRun,
  table: TableLayout = tables.scores,
): Promise<(readonly (string | null)[])[]> {
  return await warehouse.sink.read(async ({ dialect, find, rows }) => {
    const found = await find(table);
    if (found === undefined) throw new Error('the table is not there');
    const decimal = { type: 'decimal', digits: [7, 6] } as const;
    const selected = [
      dialect.text('user_id', { type: 'integer' }),
      dialect.identifier('label'),
      ...[...COLUMNS.slice(1), 'score'].map((name) =>
        dialect.text(`CAST(${dialect.identifier(name)} AS ${dialect.type(decimal)})`, decimal),
      ),
    ];
    const text = await rows(
      `SELECT ${selected.map((one, i) => `${one} AS c${i}`).join(', ')} FROM ${dialect.table(found.name)} published`,
    );
    return text
      .map((row) => row.map((value, i) => (i < 2 || value === null ? value : Number(value).toFixed(6))))
      .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
  });
}
