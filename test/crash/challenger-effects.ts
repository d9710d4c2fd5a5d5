import type { Effect } from './effects.ts';

// What a run on DuckDB does about its challenger, after the champion's report, by names as in `EFFECTS`; a challenger's
// staging and publication otherwise look like any. Wherever a process is killed, the champion is published.

function sent(name: string, pattern: RegExp): Effect {
  return { name, pattern, times: 1, phases: ['during', 'after'], occurrences: [1] };
}

function file(name: string, pattern: RegExp): Effect {
  return { name, pattern, times: 1, phases: ['after'], occurrences: [1] };
}

export const CHALLENGER_EFFECTS: readonly Effect[] = [
  file('challenger: report in place', /^rename .*\/reports\/\.linear\S* to /),
  sent('challenger: started', /^duckdb INSERT INTO \S+"score_batch_ledger" .*'linear\.challenger'.*'started'/),
  file('challenger: scratch', /^mkdir .*\.challenger-\w{8}\/staged$/),
  file('challenger: chunk', /^rename .*\.challenger-\w{8}\/scored\/chunk-\S+ to /),
  sent('challenger: ranks', /^duckdb COPY .*\.challenger-\w{8}\/ranked-\w+\.parquet' \(/),
  sent('challenger: table', /^duckdb CREATE TABLE \S+ \S+ \S+ \S+"scores_challenger" /),
  sent('challenger: scores', /^duckdb INSERT INTO \S+"scores_challenger" /),
  sent('challenger: published', /^duckdb INSERT INTO \S+"score_batch_ledger" .*'linear\.challenger'.*'published'/),
  sent('challenger: compared', /^duckdb INSERT INTO \S+"score_batch_ledger" .*'linear\.challenger'.*'completed'/),
  sent('champion: completed', /^duckdb INSERT INTO \S+"score_batch_ledger" .*'linear'.*'completed'/),
  file('champion: staging discarded', /^rename .*\.scratch\/1997-W11-\w+ to /),
  file('challenger: staging discarded', /^rename .*\.challenger-\w{8} to /),
];
