import { type Palette, PLAIN } from './colour.ts';
import type { Screen } from './screen.ts';
import { endedLine, type Surroundings, stageLine, stageText } from './stage-line.ts';
import { type RowCount, StageProgress, type StageView } from './stage-progress.ts';

/** Shows progress while the process works. */
export interface Live {
  /** The stages of a window's run. The same label always gives the same stages. */
  stages(label: string): Stages;
  /**
   * Shows a statement that a warehouse is running.
   *
   * @param id returns the id to look it up by; undefined until the warehouse has reported it
   * @returns a function to call when it has ended
   */
  working(kind: StatementKind, id: () => string | undefined): () => void;
  /** For many windows in one process: lines include the window's label, and ended stages leave no line. */
  inBulk(): void;
  /** Removes the changing lines before a command prints its result. */
  rest(): void;
}

/** The stages of one window's run, one at a time. */
export interface Stages {
  /**
   * Ends the previous stage and begins this one; the same stage continues.
   *
   * @param since when it began, milliseconds of `performance.now()`; by default now
   */
  enter(stage: string, since?: number): void;
  /** Counts rows of the stage from now on. */
  count(rows: RowCount): void;
  /** Hides the stage until `enter`. */
  pause(): void;
  /** Ends the last stage. */
  end(how: 'done' | 'failed'): void;
}

type StatementKind = 'job' | 'query';

/** Shows nothing. */
export const NO_LIVE: Live = {
  stages: () => ({ enter() {}, count() {}, pause() {}, end() {} }),
  working: () => () => {},
  inBulk() {},
  rest() {},
};

export interface LiveOptions {
  /** For lines that change on a terminal; undefined to log a line each interval. */
  readonly screen: Screen | undefined;
  /** Milliseconds between lines if there is no terminal. */
  readonly interval: number;
  /** Writes a log line. */
  readonly say: (message: string, fields: object) => void;
  readonly palette?: Palette;
  /** Whether the terminal shows more than ASCII. */
  readonly unicode?: boolean;
}

interface Track extends Stages {
  readonly label: string;
  current: StageProgress | undefined;
  hidden: boolean;
}

/** Milliseconds between redraws. */
const REDRAW_MS = 125;
/** Reading the memory usage takes some microseconds. */
const MEMORY_MS = 1000;

const MARKS = {
  unicode: { spinner: '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏', done: '✓', failed: '✗' },
  ascii: { spinner: '|/-\\', done: '+', failed: 'x' },
};

/** Shows lines that change on a terminal; without one, logs a line each interval. Its timers do not keep the process alive. */
export function createLive(options: LiveOptions): Live {
  const { screen, interval, say, palette = PLAIN, unicode = true } = options;
  const marks = MARKS[unicode ? 'unicode' : 'ascii'];
  const tracks = new Map<string, Track>();
  const statements = new Set<() => string | undefined>();
  const memory = memoryReader();
  let bulk = false;
  let turn = 0;
  let timer: NodeJS.Timeout | undefined;
  const shown = () => [...tracks.values()].filter(({ current, hidden }) => current !== undefined && !hidden);
  const around = ({ label }: Track): Surroundings => ({
    label: bulk ? label : undefined,
    memory: memory(),
    statement: [...statements].map((statement) => statement()).findLast((text) => text !== undefined),
  });
  const draw = (): void => {
    const mark = marks.spinner[turn % marks.spinner.length] ?? '';
    const width = screen?.width ?? 0;
    const lines = shown().flatMap((track) => {
      const view = track.current?.view(performance.now());
      return view === undefined ? [] : [stageLine(view, mark, around(track), width)];
    });
    screen?.draw(lines);
  };
  /** Without a terminal, each stage has its own timer, so a stage of a second writes no line. */
  const wake = (): void => {
    if (screen === undefined) return;
    if (shown().length === 0) {
      clearInterval(timer);
      timer = undefined;
    } else {
      timer ??= setInterval(() => {
        turn += 1;
        draw();
      }, REDRAW_MS).unref();
    }
    draw();
  };
  const leave = (track: Track, how: 'done' | 'failed'): void => {
    const view = track.current?.ended(performance.now());
    track.current = undefined;
    if (view === undefined || screen === undefined || bulk) return;
    const mark = marks[how];
    const line = endedLine(view, mark, screen.width);
    const paint = how === 'done' ? palette.green : palette.red;
    screen.write(`${paint(mark)}${line.slice(mark.length)}\n`);
  };
  const begin = (label: string): Track => {
    let lines: NodeJS.Timeout | undefined;
    const line = (): void => {
      const view = track.current?.view(performance.now());
      if (view === undefined || track.hidden) return;
      const more = around(track);
      say(stageText(view, more), fieldsOf(view, more));
    };
    const track: Track = {
      label,
      current: undefined,
      hidden: false,
      enter(stage, since = performance.now()) {
        track.hidden = false;
        if (track.current?.stage !== stage) {
          if (track.current !== undefined) leave(track, 'done');
          track.current = new StageProgress(stage, since);
          clearInterval(lines);
          if (screen === undefined && interval > 0) lines = setInterval(line, interval).unref();
        }
        wake();
      },
      count(rows) {
        track.current?.count(rows, performance.now());
      },
      pause() {
        track.hidden = true;
        wake();
      },
      end(how) {
        clearInterval(lines);
        if (track.current !== undefined && !track.hidden) leave(track, how);
        track.current = undefined;
        tracks.delete(label);
        wake();
      },
    };
    tracks.set(label, track);
    return track;
  };
  return {
    stages: (label) => tracks.get(label) ?? begin(label),
    working(kind, id) {
      const text = (): string | undefined => {
        const known = id();
        return known === undefined ? undefined : `${kind} ${known}`;
      };
      statements.add(text);
      return () => void statements.delete(text);
    },
    inBulk() {
      bulk = true;
    },
    rest() {
      for (const track of tracks.values()) track.pause();
    },
  };
}

/** Fields of a JSON line; null where unknown. */
function fieldsOf({ stage, seconds, rows }: StageView, { memory, statement }: Surroundings): object {
  return {
    stage,
    stage_seconds: Math.round(seconds),
    rows: rows?.done ?? null,
    rows_total: rows?.total ?? null,
    rows_total_is_guess: rows?.about ?? null,
    rows_per_second: rows?.perSecond === undefined ? null : Math.round(rows.perSecond),
    seconds_left: rows?.left === undefined ? null : Math.ceil(rows.left),
    memory_bytes: memory,
    statement: statement ?? null,
  };
}

/** The resident memory of the process in bytes, read at most once a second. */
function memoryReader(): () => number {
  let bytes = 0;
  let readAt = Number.NEGATIVE_INFINITY;
  return () => {
    const now = performance.now();
    if (now - readAt >= MEMORY_MS) {
      bytes = process.memoryUsage.rss();
      readAt = now;
    }
    return bytes;
  };
}
