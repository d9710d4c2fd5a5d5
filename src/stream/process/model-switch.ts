import { ScoreBatchError } from '../../errors.ts';
import type { FieldType } from '../../event-features/definition.ts';
import type { Console } from '../../terminal/console.ts';
import { presentError } from '../../terminal/error.ts';
import type { Flow } from '../partition/ports.ts';
import type { openScorer } from '../score/open-scorer.ts';
import type { Scorer } from '../scorer.ts';
import type { StreamSettings } from '../settings.ts';

/** The model that scores, and how another replaces it. */
export interface ModelSwitch {
  readonly current: Scorer;
  /**
   * Reads the job again. A new bundle proves its golden rows while the old one scores, and takes over between two transactions.
   *
   * @returns the outcome; undefined if another renewal is in progress, which then reads the job once more. Never throws
   */
  renew(flow: Pick<Flow, 'swap' | 'partitions'>): Promise<'done' | 'refused' | undefined>;
  close(): Promise<void>;
}

interface Options {
  readonly settings: StreamSettings;
  readonly attributes: readonly { readonly name: string; readonly type: FieldType }[];
  readonly read: () => Promise<StreamSettings>;
  readonly open: typeof openScorer;
  readonly console: Pick<Console, 'info' | 'warn'>;
}

/** The job file's key of each setting; undefined for those of the model, which a running stream reloads. */
const KEYS: Readonly<Record<keyof StreamSettings, string | undefined>> = {
  name: 'name',
  file: 'its path',
  root: 'its path',
  model: undefined,
  scoreClass: undefined,
  renamed: undefined,
  features: 'features_file',
  kafka: 'kafka',
  group: 'group',
  input: 'input',
  output: 'output',
  decisions: 'decision',
  alertOn: 'alert_on',
  attributes: 'attributes',
  limits: 'limits',
  idleMs: 'idle',
  metrics: 'metrics',
};

/** Opens a job's bundle. @throws ScoreBatchError `configuration` if it does not prove itself */
export async function switchModel({ settings, attributes, read, open, console }: Options): Promise<ModelSwitch> {
  let current = await open({ ...settings, attributes });
  let working = false;
  let asked = false;

  async function renewOnce(flow: Pick<Flow, 'swap' | 'partitions'>): Promise<'done' | 'refused'> {
    let next: Scorer | undefined;
    try {
      const wanted = await read();
      refuseOtherChanges(settings, wanted);
      next = await open({ ...wanted, attributes });
      await flow.swap(next);
      const old = current;
      current = next;
      // Closing the old one may fail; the new one scores either way.
      await old
        .close()
        .catch((error: unknown) => console.warn(`${old.name} ${old.version} could not be closed: ${String(error)}`));
      const { name, version, digest } = current;
      const at = Object.fromEntries(flow.partitions.map(({ partition, position }) => [partition, position]));
      console.info(`${name} ${version} now scores events, replacing ${old.name} ${old.version}`, {
        ...{ event: 'model', model: { name, version, digest }, positions: at },
      });
      return 'done';
    } catch (error) {
      if (next !== undefined && next !== current) await next.close();
      const { message, details, hint } = presentError(error);
      const why = [message, ...details.map((detail) => `  ${detail}`), ...(hint ? [`hint: ${hint}`] : [])].join('\n');
      console.warn(`the new model was refused, so ${current.name} ${current.version} stays in use: ${why}`, {
        event: 'model',
        switch: 'refused',
      });
      return 'refused';
    }
  }

  return {
    get current() {
      return current;
    },
    async renew(flow) {
      asked = true;
      if (working) return undefined;
      working = true;
      let outcome: 'done' | 'refused' | undefined;
      while (asked) {
        asked = false;
        outcome = await renewOnce(flow);
      }
      working = false;
      return outcome;
    },
    close: () => current.close(),
  };
}

/** @throws ScoreBatchError `configuration` if a change needs a restart */
function refuseOtherChanges(before: StreamSettings, now: StreamSettings): void {
  const changed = (Object.keys(now) as (keyof StreamSettings)[]).flatMap((setting) => {
    const key = KEYS[setting];
    return key === undefined || JSON.stringify(before[setting]) === JSON.stringify(now[setting]) ? [] : [key];
  });
  if (changed.length === 0) return;
  throw new ScoreBatchError(
    'configuration',
    `more than the model has changed in the stream job file: ${[...new Set(changed)].join(', ')}`,
    {
      hint: 'restart the stream: it continues where it stopped',
    },
  );
}
