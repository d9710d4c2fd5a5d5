import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { repository } from './support/project.ts';

/** Words that must not come back, each with what to write instead. */
const WORDS: readonly (readonly [pattern: RegExp, instead: string])[] = [
  [/\b(goes|gone|going) on\b|\bgo on (with|from)\b/i, 'resume: a run is resumed, it is resumable, or it starts over'],
  [/\bnever go on\b/i, 'start over'],
  [/\b(un)?mend(s|ed|ing)?\b/i, 'fix'],
  [/\bof no known kind\b/i, 'unsupported'],
  [/\blets? go of\b/i, 'closes, releases'],
  [/\bof somebody's\b|\bsomebody else's\b/i, 'third-party, or of another process'],
  [/\bis at work\b/i, 'is running'],
  [/\bthe ways? of the (data|others)\b/i, 'data flow, or the warehouses by name'],
  [/\band (its|their) kin\b/i, 'name them'],
  [/(?<!\bthere) is no (?!longer\b|more\b|such\b|less\b|later\b|earlier\b)[a-z]+/i, 'X is not a valid Y'],
  [/\bledger (could|can) not be told\b/i, 'could not write to the ledger'],
  [/\bdo not stand in\b/i, 'keep secrets out of'],
  [/\bstays sick\b|\bis sick\b/i, 'unhealthy'],
  [/\bburnt\b/i, 'already used'],
  [/\bwas not judged\b|\bwere not judged\b/i, 'skipped'],
  [/\bshall\b/i, 'must, should, or will'],
  [/\bwhosoever\b|\bwhosever\b|\bwhoever\b/i, 'name who: the process, the user'],
  [
    /\bat the gate\b|\bhold(s|ing)? the gate\b|\bthrough the gate\b|score_batch_gate/i,
    'publish lock: gates are limits on data',
  ],
  [/\bovertaken\b/i, 'superseded'],
  [/\bundisturbed\b|\blingering\b/i, 'grace period'],
  [/\bthaw(s|ed|ing)?\b/i, 'drop the frozen table'],
  [/\ballot(s|ted|ment)?\b/i, 'memory plan'],
  [/\bwait(s|ed|ing)? for ever\b/i, 'wait forever'],
  [/\bexists? already\b/i, 'already exists'],
  [/\bspiteful\b/i, 'hostile'],
  [/\bguards nothing\b/i, 'has no effect'],
  [/\bscores? each row by itself\b/i, 'score rows independently'],
  [/\btakes? the whole process along\b/i, 'aborts the process'],
  [/\bin the place of (BigQuery|Snowflake)\b/, 'something other than X answered'],
  [/\bthat bears being\b/i, 'safe to, idempotent'],
  [/\bfrozen anew\b|\bbeg(i|u)ns? anew\b|\bthe window anew\b/i, 'again, restarted'],
  [/\bsay only what is wrong\b/i, 'print only warnings and errors'],
  [/\bwhoever publishes\b/i, 'the first to publish'],
  [/\bon (its|their) way out of (the|a) query\b/i, 'as the query returns them'],
  [/\b(in the hands|tells? its story)\b/i, 'say what happens'],
  [/\bfor the time being\b|\bthenceforth\b|\bthereof\b|\bwherein\b/i, 'a plain word'],
];

const OWN = 'test/words.test.ts';

const FILES = execFileSync('git', ['ls-files', 'src', 'test', 'bench', 'scripts', 'deploy', 'docs', 'jobs', '*.md'], {
  cwd: repository(),
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => /\.(ts|mjs|md|py|ya?ml|sql|sh)$/.test(file) && file !== OWN);

it('reads the files of the repository', () => {
  expect(FILES.length).toBeGreaterThan(300);
});

it.each(WORDS)('%s does not come back: write "%s"', (pattern, _instead) => {
  const found = FILES.flatMap((file) =>
    readFileSync(repository(file), 'utf8')
      .split('\n')
      .flatMap((line, i) => (pattern.test(line) ? [`${file}:${i + 1}: ${line.trim().slice(0, 140)}`] : [])),
  );
  expect(found).toEqual([]);
});
