import { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type KafkaCluster, startKafka } from '../../kafka/broker.ts';
import { startStream } from './stream-process.ts';
import { event, type StreamTopics, streamTopics } from './stream-topics.ts';
import { written } from './written.ts';

const EVENTS = Array.from({ length: 100 }, (_, i) => event(i, Date.now() - 20_000 + i));

// Without Java there is no Kafka.
describe.runIf(inject('kafka') !== undefined)('brokers that ask who it is', () => {
  let cluster: KafkaCluster;
  beforeAll(async () => {
    cluster = await startKafka({
      tls: { client: false },
      sasl: { alice: 'secret of alice', bob: 'secret of bob' },
      allowed: ['alice'],
    });
  });
  afterAll(() => cluster?.stop());

  /** A job whose user comes from the environment. */
  const secured = (username = 'alice', ca = cluster.certificates?.ca): Promise<StreamTopics> =>
    streamTopics(cluster.brokers, {
      kafka: `kafka:
  brokers: [${cluster.saslTls}]
  ${ca === undefined ? 'tls: true' : `tls: { ca: ${ca} }`}
  sasl: { mechanism: scram-sha-512, username: ${username}, password: "$\{KAFKA_PASSWORD}" }`,
    });
  const endOf = async ({ folder, send }: StreamTopics, password: string) => {
    await send(EVENTS.slice(0, 10));
    const { code, stderr } = await startStream(folder, { environment: { KAFKA_PASSWORD: password } }).ended;
    expect(stderr).not.toContain(password);
    expect(stderr).toMatch(/^hint: /m);
    return [code, /^error: (.*)$/m.exec(stderr)?.[1]];
  };
  /** Permits bob what a stream needs; without its transactional ids unless they are asked for. */
  const permitBob = async ({ admin, input, scores, dead, group }: StreamTopics, withIds: boolean) => {
    const right = (resourceType: AclResourceTypes, resourceName: string, operation: AclOperationTypes) => ({
      ...{ resourceType, resourceName, operation, principal: 'User:bob', host: '*' },
      ...{ permissionType: AclPermissionTypes.ALLOW, resourcePatternType: ResourcePatternTypes.PREFIXED },
    });
    const { READ, WRITE, DESCRIBE, DESCRIBE_CONFIGS } = AclOperationTypes;
    const topics = [input, scores, dead, scores.replace('scores', 'alerts')].flatMap((topic) =>
      [READ, WRITE, DESCRIBE, DESCRIBE_CONFIGS].map((one) => right(AclResourceTypes.TOPIC, topic, one)),
    );
    const ids = [WRITE, DESCRIBE].map((one) => right(AclResourceTypes.TRANSACTIONAL_ID, group, one));
    await admin.createAcls({ acl: [...topics, right(AclResourceTypes.GROUP, group, READ), ...(withIds ? ids : [])] });
  };

  it('score with TLS, and with a password from the environment that no log shows', async () => {
    const topics = await secured();
    await topics.send(EVENTS);
    const running = startStream(topics.folder, { environment: { KAFKA_PASSWORD: 'secret of alice' } });
    await topics.untilRead(() => running.log);
    const { code, stderr } = await running.end();
    expect(code, stderr).toBe(0);
    expect(stderr).not.toContain('secret');
    expect((await written(topics, { scores: EVENTS.length })).scores).toHaveLength(EVENTS.length);
  });

  it('refuse a wrong password with 77, and are refused with 78 if nobody known signed their certificate', async () => {
    expect(await endOf(await secured(), 'wrong')).toEqual([77, expect.stringContaining('Kafka refused the user or password')]);
    const untrusted = streamTopics(cluster.brokers, { kafka: `kafka: { brokers: [${cluster.tls}], tls: true }` });
    expect(await endOf(await untrusted, 'none')).toEqual([
      78,
      expect.stringContaining('the certificate of a broker is not trusted'),
    ]);
  });

  it('refuse with 77 a user without rights, or without those for its transactional ids, until they are given', async () => {
    const topics = await secured('bob');
    expect(await endOf(topics, 'secret of bob')).toEqual([77, expect.stringContaining('Kafka does not permit')]);
    await permitBob(topics, false);
    expect(await endOf(topics, 'secret of bob')).toEqual([
      77,
      'Kafka does not permit opening a transactional producer (TRANSACTIONAL_ID_AUTHORIZATION_FAILED)',
    ]);
    await permitBob(topics, true);
    const running = startStream(topics.folder, { environment: { KAFKA_PASSWORD: 'secret of bob' } });
    await topics.untilRead(() => running.log);
    expect((await running.end()).code).toBe(0);
  });
});

// Without Java there is no Kafka.
describe.runIf(inject('kafka') !== undefined)('a broker without transactions', () => {
  it('is refused with 78', async () => {
    const cluster = await startKafka({ settings: { 'transaction.state.log.replication.factor': '3' } });
    try {
      const topics = await streamTopics(cluster.brokers);
      const { code, stderr } = await startStream(topics.folder).ended;
      expect(stderr).toMatch(/^error: Kafka cannot run transactions$/m);
      expect(code).toBe(78);
    } finally {
      await cluster.stop();
    }
  });
});
