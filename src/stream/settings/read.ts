import path from 'node:path';
import { isModelUri } from '../../domain/model-uri.ts';
import { ScoreBatchError } from '../../errors.ts';
import type { EventFeatures } from '../../event-features/definition.ts';
import { readEventFeatures } from '../../event-features/read.ts';
import { locateJob, projectRoot, readText } from '../../job/locate.ts';
import { registerSecret } from '../../secrets.ts';
import { parseChecked } from '../../yaml/checked.ts';
import type { AttributeSettings, Decision, KafkaSettings, StreamSettings } from '../settings.ts';
import { crossChecks } from './cross-checks.ts';
import { type StreamFile, streamSchema } from './schema.ts';

/**
 * Reads the settings of a stream job and its feature file: at the start, and on SIGHUP.
 *
 * @param name value of `--job`
 * @param folder working folder of the command
 * @throws ScoreBatchError `usage` if there is no such stream job, `configuration` with all problems of a file at once
 */
export async function readStreamSettings(
  name: string | undefined,
  folder: string,
  environment: NodeJS.ProcessEnv,
): Promise<StreamSettings> {
  const place = await locateJob(name, folder, environment, 'stream');
  const text = await readText(place, 'the stream job file');
  const shown = path.relative(folder, place);
  const file = parseChecked(text, streamSchema, {
    file: shown,
    noun: 'stream job file',
    hint: 'docs/stream-settings.md explains every key',
    environment,
    crossChecks: (value) => crossChecks(value, text),
  });
  const root = projectRoot(place);
  const inRoot = (given: string) => path.resolve(root, given);
  const features = readEventFeatures(await readText(inRoot(file.features_file), 'the feature file'), file.features_file);
  checkFeatures(file, features, shown);
  const { output, limits } = file;
  return {
    name: file.name,
    file: place,
    root,
    model: isModelUri(file.model) ? file.model : inRoot(file.model),
    scoreClass: file.score.class,
    features,
    renamed: file.features,
    kafka: kafkaOf(file.kafka, inRoot),
    group: file.group ?? `score-batch-${file.name}`,
    input: file.input,
    output: { scores: output.scores, deadLetter: output.dead_letter, alerts: output.alerts },
    decisions: decisionsOf(file.decision),
    alertOn: file.alert_on,
    attributes: attributesOf(file.attributes),
    limits: {
      eventsPerKey: limits.events_per_key,
      stateBytes: limits.state,
      attributeRows: limits.attribute_rows,
      attributeBytes: limits.attribute_bytes,
      messageBytes: limits.message,
      batchEvents: limits.batch_events,
    },
    idleMs: file.idle,
    metrics: file.metrics,
  };
}

function kafkaOf(
  { brokers, client_id, tls, sasl, compression }: StreamFile['kafka'],
  inRoot: (name: string) => string,
): KafkaSettings {
  registerSecret(sasl?.password);
  const { ca, cert, key } = typeof tls === 'object' ? tls : {};
  const place = (name: string | undefined) => (name === undefined ? undefined : inRoot(name));
  return {
    brokers,
    clientId: client_id,
    tls: tls === undefined || tls === false ? undefined : { ca: place(ca), cert: place(cert), key: place(key) },
    sasl,
    compression,
  };
}

function decisionsOf(decision: StreamFile['decision']): Decision[] {
  return Object.entries(decision).map(([name, from]) => ({ name, from: Math.round(from * 1e6) }));
}

function attributesOf(given: StreamFile['attributes']): AttributeSettings | undefined {
  if (given === undefined) return undefined;
  if ('topic' in given) {
    const columns = Object.entries(given.columns).map(([name, type]) => ({ name, type }));
    return { topic: given.topic, columns, maxLagMs: given.max_lag };
  }
  const { warehouse, query, key, version, refresh, max_age } = given;
  return { warehouse, query, key, version, refreshMs: refresh, ...(max_age !== undefined && { maxAgeMs: max_age }) };
}

/** Finds settings of the job file that the feature file does not allow. */
function checkFeatures({ idle, attributes, features_file }: StreamFile, features: EventFeatures, shown: string): void {
  const problems: string[] = [];
  if (idle !== undefined && features.asOf === 'arrival')
    problems.push(`idle: ${features_file} is as of arrival, where every event is scored at once: remove idle`);
  const taken = [...features.fields, ...features.features].map(({ name }) => name);
  if (attributes !== undefined && 'topic' in attributes) {
    for (const name of Object.keys(attributes.columns))
      if (taken.includes(name))
        problems.push(`attributes.columns.${name}: ${features_file} has a field or feature of that name`);
  }
  if (problems.length === 0) return;
  throw new ScoreBatchError('configuration', `the stream job file ${shown} does not fit its feature file`, {
    details: problems,
    hint: 'docs/stream-settings.md explains every key',
  });
}
