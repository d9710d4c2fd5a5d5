import type { Effect, Phase } from './effects.ts';

// Every durable effect of `promote` on DuckDB, in order, by names as in `EFFECTS`. To be killed before the first is to be
// killed before anything happened.

function effect(name: string, pattern: RegExp, phases: readonly Phase[]): Effect {
  return { name, pattern, times: 1, phases, occurrences: [1] };
}

/** @param by what names the model of the job */
export function promoteEffects(by: 'job file' | 'link'): Effect[] {
  return [
    effect('promote: promoting', /^duckdb INSERT INTO \S+"score_batch_ledger" .*'promoting'/, ['before', 'during', 'after']),
    ...(by === 'link' ? [effect('promote: link', /^rename .*\/models\/current\.\w+\.partial to /, ['before', 'after'])] : []),
    effect('promote: job file written', /^open .*\/jobs\/\.job\.yaml\.\w+\.partial$/, ['after']),
    effect('promote: job file filled', /^fill .*\/jobs\/\.job\.yaml\./, ['after']),
    effect('promote: job file', /^rename .*\/jobs\/\.job\.yaml\.\w+\.partial to /, ['before', 'after']),
    effect('promote: promoted', /^duckdb INSERT INTO \S+"score_batch_ledger" .*'promoted'/, ['before', 'during', 'after']),
  ];
}
