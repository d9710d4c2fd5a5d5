import { withoutControls } from '../domain/printable.ts';
import { ScoreBatchError } from '../errors.ts';
import { withoutSecrets } from '../secrets.ts';

const MAX_REASON = 1000;

/**
 * The text of `--reason` for the ledger: one line, without secrets and control characters; may be empty.
 *
 * @throws ScoreBatchError `usage` if it is too long
 */
export function cleanReason(reason = ''): string {
  const text = withoutControls(withoutSecrets(reason.replace(/\s+/g, ' ').trim()));
  if (text.length <= MAX_REASON) return text;
  throw new ScoreBatchError('usage', `--reason has ${text.length} characters`, {
    hint: `write at most ${MAX_REASON}: the ledger keeps it, and the report page may show it`,
  });
}

/** Whether a reason contains the words of a value next to each other, ignoring case, leading zeros and separators. */
export function mentions(reason: string, value: string): boolean {
  const words = wordsOf(value);
  return words !== ' ' && wordsOf(reason).includes(words);
}

/** Words separated by spaces: `Ann-07.` and `ann 7` yield the same. */
function wordsOf(text: string): string {
  const words =
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
  return ` ${words.map((word) => `${word.replace(/^0+(?=\d)/, '')} `).join('')}`;
}
