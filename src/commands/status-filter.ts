import { isDelivery } from '../domain/deliveries.ts';
import { isRunState } from '../domain/ledger.ts';
import { ScoreBatchError } from '../errors.ts';
import { instantNamed } from '../window/flags.ts';

/** Which rows of the ledger to show. */
export interface StatusFilter {
  /** Epoch milliseconds: windows that start earlier are left out. */
  readonly since: number | undefined;
  /** Undefined for all; `missing` means a window without a publication. */
  readonly states: ReadonlySet<string> | undefined;
}

/** @throws ScoreBatchError `usage` for a time or a state that does not exist */
export function readFilter({ since, state }: { readonly since?: string; readonly state?: string }, zone: string): StatusFilter {
  return {
    since: since === undefined ? undefined : instantNamed(since, zone, '--since'),
    states: state === undefined ? undefined : readStates(state),
  };
}

function readStates(text: string): ReadonlySet<string> {
  const states = text.split(',').map((one) => one.trim());
  const wrong = states.find((one) => !(isRunState(one) && !isDelivery(one)) && one !== 'missing');
  if (wrong === undefined) return new Set(states);
  throw new ScoreBatchError('usage', `--state: ${wrong === '' ? 'a state is empty' : `${wrong} is not a state`}`, {
    hint: 'write states as `score-batch status` shows them, separated by commas: --state refused,failed,missing',
  });
}
