import { ScoreBatchError } from '../../errors.ts';

/** A message of the registry in protobuf's JSON form, which omits default values. */
export type Message = Readonly<Record<string, unknown>>;

/** Contents of `feast registry-dump`, by name. */
export interface Registry {
  readonly services: ReadonlyMap<string, Message>;
  /** Feature views and stream feature views. */
  readonly views: ReadonlyMap<string, Message>;
  readonly onDemandViews: ReadonlyMap<string, Message>;
  readonly entities: ReadonlyMap<string, Message>;
}

/** @throws ScoreBatchError `configuration` if the text is not a dump. @param file for the message */
export function parseRegistry(text: string, file: string): Registry {
  let dump: unknown;
  try {
    // Feast may first print warnings to the same stream.
    dump = JSON.parse(text.slice(Math.max(0, text.indexOf('{'))));
  } catch {
    throw notADump(file);
  }
  if (!isMessage(dump) || !['project', 'featureViews', 'featureServices', 'entities'].some((key) => key in dump))
    throw notADump(file);
  return {
    services: byName(dump.featureServices),
    views: new Map([...byName(dump.streamFeatureViews), ...byName(dump.featureViews)]),
    onDemandViews: byName(dump.onDemandFeatureViews),
    entities: byName(dump.entities),
  };
}

function notADump(file: string): ScoreBatchError {
  return new ScoreBatchError('configuration', `${file} is not the output of \`feast registry-dump\``, {
    hint: 'write the file again with `feast -c REPO registry-dump > registry.json`',
  });
}

/** The specs of a list of objects. */
function byName(list: unknown): ReadonlyMap<string, Message> {
  const specs = messagesOf(list).flatMap(({ spec }) => (isMessage(spec) ? [spec] : []));
  return new Map(specs.map((spec) => [textOf(spec.name), spec]));
}

export function isMessage(value: unknown): value is Message {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The messages of a repeated field. */
export function messagesOf(value: unknown): readonly Message[] {
  return Array.isArray(value) ? value.filter(isMessage) : [];
}

/** Empty for an omitted string. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The entries of a map from string to string. */
export function textMapOf(value: unknown): ReadonlyMap<string, string> {
  return new Map(isMessage(value) ? Object.entries(value).map(([key, text]) => [key, textOf(text)]) : []);
}
