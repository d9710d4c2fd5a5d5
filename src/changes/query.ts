import { structuredPatch } from 'diff';

/** The lines of a unified diff from the first `@@` on; empty if the texts are equal. */
export function queryDiff(before: string, after: string): string {
  const { hunks } = structuredPatch('', '', `${before.trim()}\n`, `${after.trim()}\n`, undefined, undefined, { context: 3 });
  return hunks
    .flatMap(({ oldStart, oldLines, newStart, newLines, lines }) => [
      `@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`,
      ...lines,
    ])
    .join('\n');
}
