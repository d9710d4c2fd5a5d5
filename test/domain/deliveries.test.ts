import { expect, it } from 'vitest';
import { dueMessage } from '../../src/domain/deliveries.ts';
import { type LedgerEntry, ledgerWindow, type RunState } from '../../src/domain/ledger.ts';
import { weekWindow } from '../../src/window/window.ts';

const WINDOW = ledgerWindow(weekWindow('1997-03-10', 'America/New_York'));

function entry(runId: string, state: RunState, more: Partial<LedgerEntry> = {}): LedgerEntry {
  return {
    ...{ recordedAt: '1997-03-17T08:00:00.000Z', runId, job: 'churn', window: WINDOW, state, host: 'here', details: {} },
    ...{ fingerprint: 'f', model: { name: 'm', version: '1', digest: 'd' }, rows: { frozen: 1, scored: 1, quarantined: 0 } },
    ...more,
  };
}

const FIRST = [entry('a', 'published', { publication: 1 }), entry('a', 'completed')];
const SECOND = entry('b', 'published', { publication: 2 });

it('tells of a publication once its run has written the report, whichever process asks', () => {
  expect(dueMessage(FIRST.slice(0, 1), 'webhook', true)).toBeUndefined();
  expect(dueMessage(FIRST, 'webhook', true)).toMatchObject({ occasion: 'published', entry: { publication: 1 } });
  // Another run publishes while the first one is about to tell: its page is not there yet.
  expect(dueMessage([...FIRST, SECOND], 'webhook', true)).toBeUndefined();
  expect(dueMessage([...FIRST, SECOND, entry('b', 'completed')], 'webhook', true)).toMatchObject({ entry: { publication: 2 } });
});

it('tells of a rollback at once: the run that it restores wrote its report before', () => {
  const delivery = { publication: 2, run_id: 'b', target: 'webhook', occasion: 'published', outcome: 'delivered' } as const;
  const told = entry('1997-W11-webhook-1', 'delivered', { details: { delivery } });
  const from = { publication: 2, run_id: 'b', rows: 1 };
  const rollback = { publication: 1, run_id: 'a', from, reason: null, by: 'somebody' };
  const restored = entry('a', 'published', { publication: 3, details: { rollback } as unknown as LedgerEntry['details'] });
  expect(dueMessage([...FIRST, SECOND, told, restored], 'webhook', true)).toMatchObject({ occasion: 'rolled back' });
});
