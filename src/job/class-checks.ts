import type { Problem } from '../yaml/checked.ts';
import type { JobDefinition } from './schema.ts';

/** Checks of `score.classes: all` against the rest of the job: what needs a single score, or tables with other columns. */
export function classChecks({ score, sink, source, report, incremental, challenger }: JobDefinition): Problem[] {
  if (score.classes === undefined) return [];
  const alone = 'score.classes: all works only for windows that are scored by one model; use score.class';
  return [
    ...(sink.layout === 'narrow'
      ? []
      : [
          {
            path: ['score', 'classes'],
            message: `only the narrow layout has columns for every class, and sink.layout is ${sink.layout}: set sink.layout: narrow, or use score.class`,
          },
        ]),
    ...(report.summary_table !== undefined && score.class === undefined
      ? [
          {
            path: ['report', 'summary_table'],
            message: 'a summary covers one score: add score.class beside score.classes, or leave the summary out',
          },
        ]
      : []),
    ...(source.freeze === 'never'
      ? [
          {
            path: ['source', 'freeze'],
            message: 'score.classes: all freezes rows first; remove freeze: never, or use score.class',
          },
        ]
      : []),
    ...(incremental === undefined ? [] : [{ path: ['incremental'], message: alone }]),
    ...(challenger === undefined ? [] : [{ path: ['challenger'], message: alone }]),
  ];
}
