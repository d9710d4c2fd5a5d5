import type { Phase } from './effects.ts';

// Every durable effect of `erase` within a DuckDB file by a name, as test/crash/effects.ts has those of a run, in the order in
// which they happen. An effect that no name matches, or a name that no effect matches any more, fails a test.

export interface EraseEffect {
  readonly name: string;
  /** Matches what preload.mjs tells of the effect. */
  readonly pattern: RegExp;
  /** When a process is killed in it; the rest of a transaction is as good as its last statement. */
  readonly phases: readonly Phase[];
}

const AFTER = ['after'] as const;
const SENT = ['during', 'after'] as const;
const NEVER = [] as const;

export const ERASE_EFFECTS: readonly EraseEffect[] = [
  { name: 'kept rows: run folder', pattern: /^mkdir \S+\.scratch\/[^/]+$/, phases: NEVER },
  { name: 'kept rows: mark', pattern: /^(write|rename) \S+\.scratch\/[^/]+\/score-batch\.json/, phases: NEVER },
  { name: 'kept rows: folder', pattern: /^mkdir \S+\/erasing-\w+$/, phases: AFTER },
  { name: 'kept rows: folder of rows', pattern: /^mkdir \S+\/erasing-\w+\/(rows|repeated)$/, phases: NEVER },
  { name: 'kept rows: file', pattern: /^duckdb COPY \(SELECT \* .*\/erasing-\w+\/rows\//, phases: SENT },
  { name: 'kept rows: repeated keys', pattern: /^duckdb COPY \(SELECT c0 .*\/erasing-\w+\/repeated\//, phases: NEVER },
  { name: 'kept rows: manifest', pattern: /^write \S+\/erasing-\w+\/frozen\.json$/, phases: AFTER },
  { name: 'kept rows: complete', pattern: /^rename \S+\/erasing-\w+ to \S+\/erased$/, phases: AFTER },
  { name: 'kept rows: old ones away', pattern: /^rename \S+\/frozen to \S+\/score-batch-gone-\w+$/, phases: AFTER },
  { name: 'kept rows: old ones removed', pattern: /^remove \S+\/score-batch-gone-\w+$/, phases: SENT },
  { name: 'kept rows: in place', pattern: /^rename \S+\/erased to \S+\/frozen$/, phases: AFTER },
  { name: 'tables: rows', pattern: /^duckdb DELETE FROM \S+"marketing"/, phases: NEVER },
  { name: 'tables: ranks and summary', pattern: /^duckdb UPDATE /, phases: NEVER },
  { name: 'ledger: entries', pattern: /^duckdb INSERT INTO \S+"score_batch_ledger" .*('erased'|"erased":)/, phases: AFTER },
  { name: 'tables: commit', pattern: /^duckdb COMMIT$/, phases: SENT },
  { name: 'report: pending file', pattern: /^(mkdir|open|fill|sync|remove|duckdb COPY) .*\/reports/, phases: NEVER },
  { name: 'report: file', pattern: /^rename \S+\/reports\/\.\S+ to /, phases: AFTER },
  {
    name: 'report: completed',
    pattern: /^duckdb INSERT INTO \S+"score_batch_ledger" .*'completed'(?!.*"erased":)/,
    phases: SENT,
  },
  { name: 'spill folder', pattern: /^remove \S+\/spill(-of-\d+)?-\w+$/, phases: NEVER },
  { name: 'what is there', pattern: /^(mkdir \S+\/data|duckdb CREATE (SCHEMA|TABLE) IF NOT EXISTS .*)$/, phases: NEVER },
  { name: 'close', pattern: /^duckdb close /, phases: NEVER },
];
