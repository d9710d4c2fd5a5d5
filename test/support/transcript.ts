import type { Outcome } from './score-batch.ts';

/** The line with an error's job, window and run. test/subject.test.ts tests it; here it would be in every text. */
const SUBJECT = /^ {2}job [^,\s]+(, window [^,\s]+)?(, run [^,\s]+)?\n?/gm;

/**
 * The result of a command as one text: exit code, then stdout and stderr if they are not empty. The project's
 * folder, run ids and measured seconds become placeholders.
 */
export function transcript({ code, signal, stdout, stderr }: Outcome, folder: string): string {
  const parts = [`exit ${code ?? signal}`];
  if (stdout !== '') parts.push(`stdout:\n${stdout.trimEnd()}`);
  if (stderr !== '') parts.push(`stderr:\n${stderr.replaceAll(SUBJECT, '').trimEnd()}`);
  return withPlaceholders(parts.join('\n'), folder);
}

export function withPlaceholders(text: string, folder: string): string {
  return text
    .replaceAll(folder, '<project>')
    .replaceAll(/(\d{4}-W\d{2}|[0-9TZ_-]+)-[0-9a-f]{12}\b/g, '<id>')
    .replaceAll(/publish them by .*?: /g, 'publish them by <time>: ')
    .replaceAll(/bottleneck .* s, \d+ %\)/g, 'bottleneck <stage>')
    .replaceAll(/\d+\.\d\d = plan/g, '<s> = plan')
    .replaceAll(/(plan|freeze|score|reconcile|publish|report|clean up) \d+\.\d\d/g, '$1 <s>')
    .replaceAll(/scoring {5}\d+ workers?: .* busy \d+ %/g, 'scoring     <workers>')
    .replaceAll(/rows\/s {6}.* in the model/g, 'rows/s      <rates>');
}
