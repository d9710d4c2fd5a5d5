import type { Due, ToldPublication } from '../domain/deliveries.ts';
import { headline, lede } from '../page/lede.ts';
import type { PageData } from '../page/page-data.ts';
import { plainText, type Run, runsOfText } from './plain-text.ts';

/** The content of a message, independent of the target's format. */
export interface Story {
  readonly job: string;
  /** Label of the window. */
  readonly window: string;
  /** Subject of the message, one line. */
  readonly title: string;
  /** Why this is another message; undefined in the first one about a window. */
  readonly correction: string | undefined;
  /** The paragraph of the report page. */
  readonly paragraph: readonly Run[];
  /** Address of the report page; undefined if the job has none. */
  readonly link: string | undefined;
  /** What the message is based on. */
  readonly source: string;
  readonly publication: number;
  readonly runId: string;
  /** Publications of the window that the target has been told about. */
  readonly told: readonly ToldPublication[];
}

/** @param link template of the job file */
export function tell(data: PageData, due: Due, link: string | undefined): Story {
  const { entry, told } = due;
  const { job, window, run } = data;
  const { publication, runId } = entry;
  return {
    ...{ job: job.name, window: window.label, publication, runId, told },
    title: titleOf(data, due),
    correction: correctionOf(window.label, due),
    paragraph: runsOfText(lede(data).html),
    link: link?.replaceAll('{window}', encodeURIComponent(window.label)),
    source: `Publication ${publication} of ${window.label} by the job ${job.name}, model ${plainText(`${run.model.name} ${run.model.version}`)}.`,
  };
}

function titleOf(data: PageData, { occasion }: Due): string {
  const { job, window } = data;
  const finding = headline(data);
  switch (occasion) {
    case 'published':
      return `${job.name} ${window.label}: ${finding}`;
    case 'published again':
      return `${job.name} ${window.label}, published again: ${finding}`;
    case 'rolled back':
      return `Correction: ${job.name} ${window.label} was rolled back: ${finding}`;
  }
}

function correctionOf(label: string, { occasion, entry, told }: Due): string | undefined {
  const { publication, details } = entry;
  const before = `publication ${told.at(-1)?.publication}, which you received before, is no longer valid`;
  if (occasion === 'published') return undefined;
  const { rollback } = details;
  if (rollback === undefined) return `${label} was published again: this is publication ${publication}, and ${before}.`;
  const because = rollback.reason === null ? '' : `, because: ${rollback.reason}`;
  const is = because.endsWith('.') ? '' : '.';
  return `${label} was rolled back from publication ${rollback.from.publication} to ${rollback.publication}${because}${is} The numbers below are the current ones; ${before}.`;
}
