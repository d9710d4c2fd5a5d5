import { counted, grouped } from '../../domain/counted.ts';
import { agrees, type LookBack } from './look-back.ts';

/** Lays out rows under a header; see `alignTable` of the terminal. */
export type Align = (header: readonly string[], rows: readonly (readonly string[])[]) => string;

export interface Named {
  readonly job: string;
  readonly batch: string;
  /** Label of the window. */
  readonly window: string;
  readonly runId: string;
}

/** The comparison for a terminal: agreements, then differences, then what is outside the agreement. */
export function showLookBack({ job, batch, window, runId }: Named, look: LookBack, align: Align): string {
  const { compared, equal, differ, largest, only, outside, other, doubled, again, rejected, differences, named } = look;
  const apart = outside.idle + outside.capped + outside.repeated + other.model + other.features;
  const blocks = [
    [
      `stream ${job} against ${batch} ${window}, run ${runId}`,
      `${grouped(equal)} of ${counted(compared, 'score')} ${equal === 1 ? 'agrees' : 'agree'} within 1e-6${largest ? `; the largest difference is ${largest.toFixed(6)}` : ''}${apart > 0 ? `; ${grouped(apart)} ${apart === 1 ? 'was' : 'were'} not compared` : ''}`,
      ...(agrees(look) ? [] : [sentences({ differ, only, doubled, again })]),
    ].join('\n'),
  ];
  const aside = [
    ['scored before their time (idle)', outside.idle, named.idle],
    ['cut windows (capped)', outside.capped, named.capped],
    ['ids scored more than once', outside.repeated, named.repeated],
    ['ids scored again', again, named.scored_again],
    ['only in the stream', only.stream, named.only_stream],
    ['only in the batch', only.batch, named.only_batch],
    ['with another model, left out', other.model, []],
    ['with other features, left out', other.features, []],
  ] as const;
  const shown = aside.filter(([, count]) => count > 0);
  if (shown.length > 0) {
    const rows = shown.map(([what, count, ids]) => [what, grouped(count), short(ids, count)]);
    blocks.push(align(['events', 'number', 'ids'], rows));
  }
  if (rejected.length > 0) {
    const rows = rejected.map(({ reason, events }) => {
      const places = named.rejected.filter((one) => one.reason === reason).map((one) => `${one.partition}:${one.offset}`);
      return [reason, grouped(events), short(places, events)];
    });
    blocks.push(align(['not scored', 'number', 'partition:offset'], rows));
  }
  if (differences.length > 0) {
    const rows = differences.map(({ id, stream, batch: other, features }) => [
      id,
      stream.toFixed(6),
      other.toFixed(6),
      features === null
        ? 'not kept by the batch'
        : features.map((one) => `${one.name} ${one.stream ?? 'null'} → ${one.batch ?? 'null'}`).join(', ') || 'none',
    ]);
    blocks.push(align(['differs', 'stream', 'batch', 'features'], rows));
  }
  return blocks.join('\n\n');
}

function sentences({ differ, only, doubled, again }: Pick<LookBack, 'differ' | 'only' | 'doubled' | 'again'>): string {
  return [
    differ > 0 ? `${counted(differ, 'score')} ${differ === 1 ? 'differs' : 'differ'}` : '',
    only.stream > 0 ? `${counted(only.stream, 'event')} ${only.stream === 1 ? 'is' : 'are'} only in the stream` : '',
    only.batch > 0 ? `${counted(only.batch, 'event')} ${only.batch === 1 ? 'is' : 'are'} only in the batch` : '',
    doubled > 0 ? `${counted(doubled, 'record')} of the stream ${doubled === 1 ? 'appears' : 'appear'} twice` : '',
    again > 0 ? `${counted(again, 'event')} ${again === 1 ? 'was' : 'were'} scored again` : '',
  ]
    .filter((text) => text !== '')
    .join('; ');
}

const SHOWN = 5;

function short(names: readonly string[], count: number): string {
  const first = names.slice(0, SHOWN).join(', ');
  return count > SHOWN && first !== '' ? `${first}, …` : first;
}
