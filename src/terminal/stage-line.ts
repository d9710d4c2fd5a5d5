import { grouped } from '../domain/counted.ts';
import type { StageView } from './stage-progress.ts';

/** A part of a line. */
interface Part {
  /** Alternatives, from longest to shortest. */
  readonly texts: readonly string[];
  /** Parts of rank 0 are essential. Among the others, a higher rank is less important. */
  readonly rank: number;
}

/** Contents of a line besides the stage. */
export interface Surroundings {
  /** The window, if several are shown. */
  readonly label: string | undefined;
  /** Memory used by the process, in bytes. */
  readonly memory: number;
  /** `job …` or `query …`, to look up the running statement. */
  readonly statement: string | undefined;
}

/** The longest stage name. */
const NAME_WIDTH = 'reconcile'.length;
const SECONDS_WIDTH = '999.9 s'.length;
const GAP = '  ';

/**
 * One line of at most `width` characters. If it does not fit, numbers are shortened, then the least important parts are left
 * out. Nothing is cut off, since half an id cannot be looked up.
 *
 * @param mark the spinner
 */
export function stageLine(view: StageView, mark: string, { label, memory, statement }: Surroundings, width: number): string {
  const { seconds, rows } = view;
  const spent = `${Math.floor(seconds)} s`;
  const more: Part[] = [
    { texts: [showMemory(memory)], rank: 5 },
    ...(statement === undefined ? [] : [{ texts: [statement], rank: rows === null ? 1 : 4 }]),
  ];
  if (rows === null) return compose([nameOf(view, mark, label), { texts: [spent], rank: 0 }, ...more], width);
  const { done, total, perSecond, left } = rows;
  const parts: Part[] = [
    nameOf(view, mark, label),
    { texts: rowTexts(rows), rank: 0 },
    ...(total ? [{ texts: [`${Math.floor((100 * done) / total)}%`], rank: 3 }] : []),
    ...(perSecond === undefined ? [] : [{ texts: [showRate(perSecond)], rank: 1 }]),
    ...(left === undefined ? [] : [{ texts: [`${showLeft(left)} left`], rank: 0 }]),
    // If the remaining time is unknown, the elapsed time is essential.
    { texts: [spent], rank: left === undefined ? 0 : 2 },
    ...more,
  ];
  return compose(parts, width);
}

/** The permanent line of an ended stage. @param view at its end */
export function endedLine(view: StageView, mark: string, width: number): string {
  const { seconds, rows } = view;
  const parts: Part[] = [
    nameOf(view, mark, undefined),
    { texts: [`${seconds.toFixed(1)} s`.padStart(SECONDS_WIDTH), `${seconds.toFixed(1)} s`], rank: 0 },
    ...(rows === null ? [] : [{ texts: rowTexts(rows), rank: 0 }]),
    ...(rows?.perSecond === undefined ? [] : [{ texts: [showRate(rows.perSecond)], rank: 1 }]),
  ];
  return compose(parts, width);
}

/** Everything about a stage for a log, without abbreviations. */
export function stageText(view: StageView, { label, memory, statement }: Surroundings): string {
  const { stage, seconds, rows } = view;
  const parts = [
    ...(rows === null ? [] : [rowTexts(rows)[0]]),
    ...(rows?.total ? [`${Math.floor((100 * rows.done) / rows.total)}%`] : []),
    ...(rows?.perSecond === undefined ? [] : [showRate(rows.perSecond)]),
    ...(rows?.left === undefined ? [] : [`${showLeft(rows.left)} left`]),
    showMemory(memory),
    `${Math.round(seconds)} s`,
    ...(statement === undefined ? [] : [statement]),
  ];
  return `${label === undefined ? '' : `${label} `}${stage}: ${parts.join(', ')}`;
}

function nameOf({ stage }: StageView, mark: string, label: string | undefined): Part {
  const name = `${mark} ${label === undefined ? '' : `${label} `}`;
  return { texts: [`${name}${stage.padEnd(NAME_WIDTH)}`, `${name}${stage}`], rank: 0 };
}

function rowTexts({ done, total, about }: NonNullable<StageView['rows']>): string[] {
  if (total === undefined) return [`${grouped(done)} rows`, `${short(done)} rows`];
  return [
    `${grouped(done)} of ${about ? 'about ' : ''}${grouped(total)} rows`,
    `${grouped(done)} of ${about ? '~' : ''}${grouped(total)}`,
    `${short(done)} of ${about ? '~' : ''}${short(total)}`,
  ];
}

/** Shortens the parts of rank 0 until they fit, then adds the others while there is room. */
function compose(parts: readonly Part[], width: number): string {
  const levels = Math.max(...parts.map(({ texts }) => texts.length));
  const chosen = new Map<Part, string>();
  const textAt = ({ texts }: Part, level: number) => texts[Math.min(level, texts.length - 1)] ?? '';
  const main = parts.filter(({ rank }) => rank === 0);
  const long = (level: number) => main.map((part) => textAt(part, level)).join(GAP).length;
  const level = Array.from({ length: levels }, (_, i) => i).find((i) => long(i) <= width) ?? levels - 1;
  let room = width;
  for (const part of [...parts].sort((a, b) => a.rank - b.rank)) {
    const text = textAt(part, level);
    const needed = text.length + (chosen.size === 0 ? 0 : GAP.length);
    if (needed > room) continue;
    room -= needed;
    chosen.set(part, text);
  }
  return parts.flatMap((part) => chosen.get(part) ?? []).join(GAP);
}

/** Three significant digits: `1.23M`. */
function short(count: number): string {
  for (const [size, unit] of [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const) {
    if (count >= size) return `${(count / size).toFixed(count >= 100 * size ? 0 : count >= 10 * size ? 1 : 2)}${unit}`;
  }
  return String(count);
}

function showRate(perSecond: number): string {
  return `${grouped(Math.round(perSecond))} rows/s`;
}

function showMemory(bytes: number): string {
  const mebibytes = bytes / 2 ** 20;
  return mebibytes < 10_000 ? `${Math.round(mebibytes)} MiB` : `${(mebibytes / 1024).toFixed(1)} GiB`;
}

/** `2:05`, `1:02:05` */
function showLeft(seconds: number): string {
  const whole = Math.ceil(seconds);
  const two = (count: number) => String(count).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}
