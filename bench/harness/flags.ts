import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { SCENARIOS, type ScenarioName } from './scenarios.ts';

const MODELS = ['mlp', 'lgbm', 'slow'];
const MODELS_BY_DEFAULT = ['mlp', 'lgbm'];
const CASES = ['core', 'full', 'raw'] as const;
const PEERS = ['python', 'daft', 'ray', 'pyspark'] as const;
const SCENARIO_NAMES = Object.keys(SCENARIOS) as ScenarioName[];
const PROVIDERS = ['cpu', 'cuda', 'tensorrt', 'webgpu'];

/** The jobs and the raw rate. */
export type CaseName = (typeof CASES)[number];
export type Peer = (typeof PEERS)[number];

/** The command line; undefined stands for flags not given, and for `auto`. */
export interface Flags {
  readonly help: boolean;
  readonly setup: boolean;
  readonly memory: boolean;
  readonly rows: readonly number[];
  readonly scenarios: readonly ScenarioName[];
  readonly models: readonly string[];
  readonly cases: readonly CaseName[];
  readonly peers: readonly Peer[];
  readonly repetitions: number;
  readonly workers: number | undefined;
  /** Workers of the peers and of the raw rate. */
  readonly parallelism: number;
  readonly batchRows: number | undefined;
  readonly provider: string;
  readonly peerProvider: string;
  /** 0: skip the raw rate. */
  readonly rawSeconds: number;
  readonly data: string | undefined;
  readonly out: string | undefined;
  readonly json: string | undefined;
}

/** A problem with the command line, in one sentence. */
export class UsageError extends Error {}

export const HELP = `npm run bench -- [flags]

Scores generated users by score-batch and, in turn (A B C A B C …), by what people would use instead, and writes a table.

  --rows <n,…>          rows of the one week that is scored (default 1000000); made once and kept
  --scenarios <s,…>     what is scored (default plain):
${showScenarios()}
  --models <m,…>        of ${MODELS.join(', ')} (default ${MODELS_BY_DEFAULT.join(',')})
  --cases <c,…>         core, what the peers do as well; full, all that the weekly job does; raw, the raw rate of the model,
                        beside plain only (default: all); or none
  --peers <p,…>         of ${PEERS.join(', ')} (default: all); or none
  --repetitions <n>     rounds; figures are medians over them (default 3)
  --workers <n|auto>    chunk workers of score-batch, threads of the raw rate, workers of the peers (default auto: one per core)
  --batch-rows <n|auto> rows per call of the model, in score-batch and for the raw rate (default auto)
  --provider <name>     of score-batch and of the raw rate: ${PROVIDERS.join(', ')} (default cpu)
  --peer-provider <ep>  of onnxruntime in the Python script, e.g. CUDAExecutionProvider (default CPUExecutionProvider)
  --raw-seconds <s>     how long the raw rate is measured in each round (default 4); 0 leaves it out as well
  --memory              peak memory of score-batch alone: one repetition, no peers, no raw rate
  --data <folder>       where the users are kept (default .bench)
  --out <path>          where results go, as <path>.md and <path>.json (default .bench/results-<time>)
  --json <file>         where the JSON goes instead
  --setup               make the Python environment of these peers in .bench/venv, and end; PySpark needs Java besides
  --help
`;

/** @throws UsageError */
export function parseFlags(argv: readonly string[]): Flags {
  const { values } = parse(argv);
  const memory = values.memory === true;
  const cases = values.cases === 'none' ? [] : among('--cases', values.cases, CASES);
  const rawSeconds = whole('--raw-seconds', values['raw-seconds'], 0);
  return {
    help: values.help === true,
    setup: values.setup === true,
    memory,
    rows: list(values.rows).map((text) => whole('--rows', text, 1)),
    scenarios: among('--scenarios', values.scenarios, SCENARIO_NAMES),
    models: among('--models', values.models, MODELS),
    cases,
    peers: memory || values.peers === 'none' ? [] : among('--peers', values.peers, PEERS),
    repetitions: memory ? 1 : whole('--repetitions', values.repetitions, 1),
    workers: values.workers === 'auto' ? undefined : whole('--workers', values.workers, 1),
    // The number that score-batch uses for `auto`.
    parallelism: values.workers === 'auto' ? availableParallelism() : whole('--workers', values.workers, 1),
    batchRows: values['batch-rows'] === 'auto' ? undefined : whole('--batch-rows', values['batch-rows'], 1),
    provider: among('--provider', values.provider, PROVIDERS, 1)[0] ?? 'cpu',
    peerProvider: values['peer-provider'],
    rawSeconds: memory || !cases.includes('raw') ? 0 : rawSeconds,
    data: values.data,
    out: values.out,
    json: values.json,
  };
}

function showScenarios(): string {
  return Object.entries(SCENARIOS)
    .map(([name, { what }]) => `                          ${name}: ${what}`)
    .join('\n');
}

function parse(argv: readonly string[]) {
  const text = (value: string) => ({ type: 'string', default: value }) as const;
  try {
    return parseArgs({
      args: [...argv],
      options: {
        rows: text('1000000'),
        scenarios: text('plain'),
        models: text(MODELS_BY_DEFAULT.join(',')),
        cases: text(CASES.join(',')),
        peers: text(PEERS.join(',')),
        repetitions: text('3'),
        workers: text('auto'),
        'batch-rows': text('auto'),
        provider: text('cpu'),
        'peer-provider': text('CPUExecutionProvider'),
        'raw-seconds': text('4'),
        memory: { type: 'boolean' },
        data: { type: 'string' },
        out: { type: 'string' },
        json: { type: 'string' },
        setup: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message.split('\n')[0]);
  }
}

function list(text: string): string[] {
  return text.split(',').map((part) => part.trim());
}

function among<T extends string>(flag: string, text: string, known: readonly T[], most = known.length): T[] {
  const given = list(text);
  const strange = given.find((name) => !known.some((one) => one === name));
  if (strange !== undefined) throw new UsageError(`${flag} has ${strange || 'an empty name'}, and knows ${known.join(', ')}`);
  const names = given as T[];
  if (new Set(names).size < names.length) throw new UsageError(`${flag} names one of ${text} twice`);
  if (names.length > most) throw new UsageError(`${flag} takes one of ${known.join(', ')}`);
  return names;
}

function whole(flag: string, text: string, least: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= least) return number;
  throw new UsageError(`${flag} has ${text || 'an empty value'}, and takes whole numbers from ${least}`);
}
