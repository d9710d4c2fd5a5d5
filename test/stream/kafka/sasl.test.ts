import { afterEach, expect, it } from 'vitest';
import { clientFactory, type KafkaLog } from '../../../src/stream/kafka/client.ts';
import { userError } from '../../../src/stream/kafka/failure.ts';
import { openKafka } from '../../../src/stream/kafka/open.ts';
import { type FakeBroker, fakeBroker, type Proof } from './fake-broker.ts';
import { settingsOf } from './fixture.ts';

const sasl = { mechanism: 'plain', username: 'alice', password: 'secret of alice' } as const;
const started: FakeBroker[] = [];
afterEach(() => Promise.all(started.splice(0).map((broker) => broker.close())));

async function start(proofs: readonly Proof[], others: readonly number[] = []): Promise<FakeBroker> {
  let at = 0;
  const proof = () => proofs[Math.min(at++, proofs.length - 1)] as Proof;
  const broker = await fakeBroker({ proof, others });
  started.push(broker);
  return broker;
}

function listening(): { readonly log: KafkaLog; readonly messages: string[] } {
  const messages: string[] = [];
  return { messages, log: (level, message) => messages.push(`${level} ${message}`) };
}

it('waits for brokers that close connections while a password is proved', async () => {
  const broker = await start(['closed', 'closed', 'closed', 'accepted']);
  const { log, messages } = listening();
  const opened = await openKafka(settingsOf([broker.address], { sasl }), log);
  await opened.close();
  expect(messages.join('\n')).toMatch(/^error BrokerPool: Closed connection, during SASL/m);
});

it('asks another broker for one that closes them', async () => {
  const [closing, other] = [await start(['closed']), await start(['accepted'])];
  const opened = await openKafka(settingsOf([closing.address, other.address], { sasl }), listening().log);
  await opened.close();
});

it('ends where a broker refuses the password', async () => {
  const broker = await start(['refused']);
  const opening = openKafka(settingsOf([broker.address], { sasl }), listening().log);
  await expect(opening).rejects.toMatchObject({
    kind: 'permission',
    message: expect.stringMatching(/^Kafka refused the user or password/),
  });
});

it.each([
  ['refused', 'permission', 'error BrokerPool: Authentication failed'],
  ['closed', 'unavailable', undefined],
] as const)('names the cause where one of several brokers has %s it', async (proof, kind, told) => {
  const other = await start([proof]);
  const broker = await start(['accepted'], [other.port]);
  const { log, messages } = listening();
  const client = (await clientFactory(settingsOf([broker.address], { sasl }), log))();
  await client.connect();
  await client.refresh();
  const error = await client.broker(2).catch((thrown: unknown) => userError(thrown, 'asking'));
  await client.close();
  expect(error).toMatchObject({ name: 'ScoreBatchError', kind });
  if (told !== undefined) expect(messages).toContain(told);
});
