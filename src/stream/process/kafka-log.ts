import { counted } from '../../domain/counted.ts';
import type { Console } from '../../terminal/console.ts';
import type { KafkaLog } from '../kafka/client.ts';

/** While a broker is away, each attempt of each connection logs the same message. */
const EVERY_MS = 60_000;

interface Shown {
  at: number;
  repeats: number;
}

/** Logs each of the Kafka client's messages once a minute at most, with the number of its repeats; with `-v` all of them. */
export function kafkaLogOf(console: Pick<Console, 'warn' | 'debug'>, now: () => number = Date.now): KafkaLog {
  const shown = new Map<string, Shown>();
  return (level, message) => {
    const fields = { event: 'kafka', kafka: level };
    const at = now();
    const last = shown.get(message);
    if (last !== undefined && at - last.at < EVERY_MS) {
      last.repeats += 1;
      console.debug(`Kafka: ${message}`, fields);
      return;
    }
    for (const [other, { at: then, repeats }] of shown) if (repeats === 0 && at - then >= EVERY_MS) shown.delete(other);
    shown.set(message, { at, repeats: 0 });
    const repeats = last?.repeats ?? 0;
    const more = repeats === 0 ? '' : ` (and ${counted(repeats, 'time')} before, since it was last shown)`;
    console.warn(`Kafka: ${message}${more}`, { ...fields, repeats });
  };
}
