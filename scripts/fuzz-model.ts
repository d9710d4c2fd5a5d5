// Changes bytes of model files and, in a child process, does what a run does before its first row: nothing may crash, hang, or
// look like a bug.   npm run fuzz:model -- --times 5000 --seed 1
import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ScoreBatchError } from '../src/errors.ts';
import { ROOT } from './root.ts';

const MODELS = path.join(ROOT, 'test', 'fixtures', 'models');
/** None of these models takes a second. */
const HANG_MS = 60_000;

/** The result for one changed model, as reported by the child process. */
interface Outcome {
  readonly seed: number;
  readonly outcome: string;
}

/** An integer from 0 to n - 1. */
type Random = (n: number) => number;

if (process.send) await work(process.send.bind(process));
else await supervise();

async function supervise(): Promise<void> {
  const { values } = parseArgs({
    options: { times: { type: 'string', default: '5000' }, seed: { type: 'string', default: '1' } },
  });
  const folder = mkdtempSync(path.join(tmpdir(), 'score-batch-fuzz-'));
  const outcomes: Record<string, number> = {};
  const count = (outcome: string) => {
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  };
  const first = Number(values.seed);
  const times = Number(values.times);
  for (let seed = first; seed < first + times; ) {
    seed = await oneProcess(folder, seed, first + times, count);
  }
  rmSync(folder, { recursive: true });
  process.stdout.write(`${JSON.stringify({ times, seed: first, outcomes }, null, 2)}\n`);
  if (Object.keys(outcomes).some((name) => /^(crash|hang|bug)/.test(name))) process.exitCode = 1;
}

/** @returns the seed to continue from: the one after the seed that ended the process, if any did */
function oneProcess(folder: string, from: number, to: number, count: (outcome: string) => void): Promise<number> {
  return new Promise((resolve) => {
    const child = fork(fileURLToPath(import.meta.url), [folder, String(from), String(to)], { silent: true });
    let current = from;
    let hung = false;
    const watch = () =>
      setTimeout(() => {
        hung = true;
        child.kill('SIGKILL');
      }, HANG_MS);
    let timer = watch();
    child.on('message', (message) => {
      const { seed, outcome } = message as Outcome;
      count(outcome);
      if (outcome.startsWith('bug')) process.stderr.write(`seed ${seed}: ${outcome}\n`);
      current = seed + 1;
      clearTimeout(timer);
      timer = watch();
    });
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      if (current >= to) return resolve(to);
      count(hung ? 'hang' : `crash (${signal ?? code})`);
      process.stderr.write(`seed ${current}: ${hung ? 'hang' : `crash (${signal ?? code})`}\n`);
      resolve(current + 1);
    });
  });
}

async function work(send: NonNullable<typeof process.send>): Promise<void> {
  const [folder = '', from, to] = process.argv.slice(2);
  // Not needed by the supervisor.
  const { loadBundle } = await import('../src/model/bundle.ts');
  const { verifyBundle } = await import('../src/model/verify.ts');
  const names = readdirSync(MODELS).filter((name) => !['garbage', 'slow'].includes(name));
  for (let seed = Number(from); seed < Number(to); seed += 1) {
    const random = randomFrom(seed);
    const name = names[random(names.length)] ?? '';
    const bytes = mutated(readFileSync(path.join(MODELS, name, 'model.onnx')), random);
    const yaml = readFileSync(path.join(MODELS, name, 'model.yaml'), 'utf8');
    const digest = createHash('sha256').update(bytes).digest('hex');
    writeFileSync(path.join(folder, 'model.onnx'), bytes);
    writeFileSync(path.join(folder, 'model.yaml'), yaml.replace(/^sha256: .*$/m, `sha256: ${digest}`));
    writeFileSync(path.join(folder, 'golden.csv'), readFileSync(path.join(MODELS, name, 'golden.csv')));
    const outcome = await loadBundle(folder)
      .then((bundle) => verifyBundle(bundle, { providers: ['cpu'], requireGpu: false }))
      .then(
        () => 'agrees',
        (error: unknown) => outcomeOf(error, folder),
      );
    const message: Outcome = { seed, outcome };
    await new Promise((resolve) => send(message, undefined, undefined, resolve));
  }
  process.disconnect();
}

/** An error message without the parts that differ from model to model. */
function outcomeOf(error: unknown, folder: string): string {
  if (!(error instanceof ScoreBatchError)) return `bug: ${error instanceof Error ? error.message : String(error)}`;
  return error.message
    .replaceAll(folder, '')
    .replaceAll(/\d[\d.e+-]*/g, 'N')
    .replace(/:.*$/s, '');
}

function mutated(original: Buffer, random: Random): Buffer {
  let bytes = Buffer.from(original);
  for (let edits = 1 + random(4); edits > 0 && bytes.length > 0; edits -= 1) {
    const at = random(bytes.length);
    const length = 1 + random(Math.min(40, bytes.length - at));
    // Mostly changes that keep lengths: others seldom get as far as the runtime.
    switch (Math.max(0, random(16) - 10)) {
      case 0:
        bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << random(8)), at);
        break;
      case 1:
        bytes[at] = random(256);
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]);
        break;
      case 4:
        bytes = bytes.subarray(0, at);
        break;
      case 5:
        // Encodes a huge length or shape.
        Buffer.from([255, 255, 255, 255, 7]).copy(bytes, at);
        break;
    }
  }
  return bytes;
}

/** Integers from 0 to n - 1, determined by a seed (mulberry32). */
function randomFrom(seed: number): Random {
  let state = seed * 0x9e3779b1;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}
